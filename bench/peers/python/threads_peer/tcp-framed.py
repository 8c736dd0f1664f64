from serve import serve
from frames import FrameReader, frames


def echo_frames(connection):
    reader = FrameReader()
    while data := connection.recv(64 << 10):
        messages = reader.push(data)
        if messages:
            connection.sendall(frames(messages))


serve(echo_frames)
