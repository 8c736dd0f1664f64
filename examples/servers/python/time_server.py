import datetime, socket, sys

with socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10) as client:
    text = client.makefile().read().strip()
told = datetime.datetime.strptime(text, '%Y-%m-%dT%H:%M:%S.%fZ')
now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
print(abs((now - told).total_seconds()) < 60)
