import socket, sys

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
    client.settimeout(10)
    for text in 'hello', 'grüße', '':
        client.sendto(text.encode(), ('127.0.0.1', int(sys.argv[1])))
        print(client.recv(1000).decode())
