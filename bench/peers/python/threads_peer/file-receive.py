from serve import serve
from control import option

PATH = option("path")


def receive_file(connection):
    buffer = memoryview(bytearray(256 << 10))
    with open(PATH, "wb", buffering=0) as file:
        while got := connection.recv_into(buffer):
            file.write(buffer[:got])


serve(receive_file)
