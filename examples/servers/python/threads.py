import socket, sys, threading

answers = {}

def ask(limit):
    with socket.create_connection(('127.0.0.1', int(sys.argv[1])), 30) as client:
        client.sendall(f'{limit}\n'.encode())
        answers[limit] = int(client.makefile().readline())

threads = [threading.Thread(target=ask, args=(limit,)) for limit in (0, 3, 100, 10**6, 2 * 10**6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(sorted(answers.items()))
