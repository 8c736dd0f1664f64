from serve import serve


def echo(connection):
    while data := connection.recv(64 << 10):
        connection.sendall(data)


serve(echo)
