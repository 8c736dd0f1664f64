from serve import serve

CHUNK = b"x" * (64 << 10)


def source(connection):
    while True:
        connection.sendall(CHUNK)


serve(source)
