import socket, sys

with socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10) as client:
    file = client.makefile('rw')
    for count in 1, 3, 100:
        file.write(f'{count}\n')
        file.flush()
        numbers = [int(word) for word in file.readline().split()]
        print(len(numbers) == count and all(1 <= number <= 6 for number in numbers))
