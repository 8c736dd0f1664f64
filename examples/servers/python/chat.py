import socket, sys

def join(name):
    client = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10)
    file = client.makefile('rw', encoding='utf-8')
    say(file, name)
    print(file.readline(), end='')
    return client, file

def say(file, text):
    file.write(text + '\n')
    file.flush()

first, ann = join('Ann')
second, bob = join('Bob')
print(ann.readline(), end='')
say(bob, '你好')
print(ann.readline(), end='')
bob.close()
second.close()
print(ann.readline(), end='')
