from serve import bind
from control import ASK_BYTES, count_answer

sock = bind()
buffer = bytearray(2048)
count = 0
while True:
    got, remote = sock.recvfrom_into(buffer)
    if got == ASK_BYTES:
        sock.sendto(count_answer(count), remote)
    else:
        count += 1
