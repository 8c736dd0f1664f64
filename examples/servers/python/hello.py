import socket, sys

with socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10) as client:
    host, port = client.getsockname()
    print(client.makefile().read() == f'Hello, {host}:{port}!\n')
