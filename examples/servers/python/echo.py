import socket, sys

with socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10) as client:
    file = client.makefile('rw', encoding='utf-8')
    print(file.readline(), end='')
    for line in 'first', '你好', 'quit':
        file.write(line + '\n')
        file.flush()
        print(file.readline(), end='')
