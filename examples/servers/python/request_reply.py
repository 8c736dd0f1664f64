import json, socket, struct, sys

def frame(value):
    body = json.dumps(value).encode()
    return struct.pack('>I', len(body)) + body

def receive(file):
    length, = struct.unpack('>I', file.read(4))
    return json.loads(file.read(length))

with socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10) as client:
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    file = client.makefile('rb')
    # Three stuck together, then one in pieces.
    client.sendall(frame({'add': [1, 2]}) + frame({'add': []}) + frame({'add': list(range(1000))}))
    print(receive(file), receive(file), receive(file))
    for byte in frame({'add': [-1, 0.5]}):
        client.sendall(bytes([byte]))
    print(receive(file))
