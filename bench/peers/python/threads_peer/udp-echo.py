from serve import bind

sock = bind()
buffer = memoryview(bytearray(2048))
while True:
    got, remote = sock.recvfrom_into(buffer)
    sock.sendto(buffer[:got], remote)
