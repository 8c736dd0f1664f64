from serve import bind
from control import ASK_BYTES, REQUEST_BYTES, count_answer, parse_request

sock = bind()
count = 0
while True:
    request, remote = sock.recvfrom(2048)
    if len(request) == ASK_BYTES:
        sock.sendto(count_answer(count), remote)
    elif len(request) == REQUEST_BYTES:
        wanted, size = parse_request(request)
        data = b"x" * size
        for _ in range(wanted):
            sock.sendto(data, remote)
        count += wanted
