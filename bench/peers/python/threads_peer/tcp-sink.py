from serve import serve


def sink(connection):
    buffer = bytearray(64 << 10)
    while connection.recv_into(buffer):
        pass


serve(sink)
