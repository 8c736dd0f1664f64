import socket, sys

with socket.socket(socket.AF_UNIX) as client:
    client.connect(sys.argv[1])
    file = client.makefile('rw')
    for line in 'one', 'one two  three', '':
        file.write(line + '\n')
        file.flush()
        print(file.readline(), end='')
