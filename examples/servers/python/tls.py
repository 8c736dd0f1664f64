import socket, ssl, sys

context = ssl.create_default_context(cafile=sys.argv[2])
plain = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10)
with context.wrap_socket(plain, server_hostname='localhost') as client:
    print(client.version())
    client.sendall('secret 你好\n'.encode())
    print(client.makefile(encoding='utf-8').readline(), end='')
