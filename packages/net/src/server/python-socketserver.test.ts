// Python's socketserver and ours, each with the other's clients.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InetAddress } from '../address/index.ts';
import { AF_INET, AF_UNIX, SOCK_DGRAM, SOCK_STREAM } from '../constants/index.ts';
import { Socket } from '../socket/index.ts';
import { needs, PythonPeer, TemporaryDirectory } from '../testing/index.ts';
import EchoDatagramHandler from './echo-datagram-handler.test.support.ts';
import EchoLineHandler from './echo-line-handler.test.support.ts';
import { exchangeDatagram, exchangeStream } from './exchange.test.support.ts';
import { ForkingTCPServer } from './forking-tcp-server.ts';
import { ForkingUDPServer } from './forking-udp-server.ts';
import { ForkingUnixDatagramServer } from './forking-unix-datagram-server.ts';
import { ForkingUnixStreamServer } from './forking-unix-stream-server.ts';
import { TCPServer } from './tcp-server.ts';
import { ThreadingTCPServer } from './threading-tcp-server.ts';
import { ThreadingUDPServer } from './threading-udp-server.ts';
import { ThreadingUnixDatagramServer } from './threading-unix-datagram-server.ts';
import { ThreadingUnixStreamServer } from './threading-unix-stream-server.ts';
import { UDPServer } from './udp-server.ts';
import { UnixDatagramServer } from './unix-datagram-server.ts';
import { UnixStreamServer } from './unix-stream-server.ts';

const HERE: InetAddress = { host: '127.0.0.1', port: 0 };
const LINES = new URL('./echo-line-handler.test.support.js', import.meta.url);
const DATAGRAMS = new URL('./echo-datagram-handler.test.support.js', import.meta.url);
const python = await needs('python3');

const THEIR_SERVER = `
    import socketserver
    name, address = args
    base = (socketserver.StreamRequestHandler if name.endswith(('TCPServer', 'StreamServer'))
            else socketserver.DatagramRequestHandler)
    class Echo(base):
        def handle(self):
            self.wfile.write(self.rfile.readline())
    # Before 3.12 the Forking forms of the Unix classes have no name of their own.
    kind = getattr(socketserver, name, None) or type(name, (
        socketserver.ForkingMixIn, getattr(socketserver, name.removeprefix('Forking'))), {})
    server = kind(address if isinstance(address, str) else tuple(address), Echo)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    say(server.server_address)
    hear()
    server.shutdown()
    server.server_close()
`;

/** Python's servers, and our exchange with each. */
const theirs: [string, boolean, boolean][] = [
  ['TCPServer', false, true],
  ['ThreadingTCPServer', false, true],
  ['ForkingTCPServer', false, true],
  ['UDPServer', false, false],
  ['ThreadingUDPServer', false, false],
  ['ForkingUDPServer', false, false],
  ['UnixStreamServer', true, true],
  ['ThreadingUnixStreamServer', true, true],
  ['ForkingUnixStreamServer', true, true],
  ['UnixDatagramServer', true, false],
  ['ThreadingUnixDatagramServer', true, false],
  ['ForkingUnixDatagramServer', true, false],
];

for (const [name, isUnix, isStream] of theirs) {
  test(`Python's ${name} answers our Socket`, python, async () => {
    using directory = new TemporaryDirectory();
    const where = isUnix ? directory.file('socket') : ['127.0.0.1', 0];
    await using peer = new PythonPeer(THEIR_SERVER, name, where);
    const heard = await peer.hear<string | [string, number]>();
    const address =
      typeof heard === 'string' ? { path: heard } : { host: heard[0], port: heard[1] };
    const exchange = isStream ? exchangeStream : exchangeDatagram;
    for (let i = 0; i < 3; i++) await exchange(isUnix ? AF_UNIX : AF_INET, address);
    peer.say('done');
    await peer.end();
  });
}

const THEIR_CLIENTS = `
    family, kind, address, count = args
    def exchange(i):
        with socket.socket(family, kind) as client:
            if family == socket.AF_UNIX and kind == socket.SOCK_DGRAM:
                client.bind('')
            client.settimeout(10)
            client.connect(address if isinstance(address, str) else tuple(address))
            line = f'line {i} \u4f60\u597d\\n'.encode()
            client.sendall(line[:7])
            if kind == socket.SOCK_STREAM:
                client.sendall(line[7:])
                answers.append(client.makefile('rb').read() == line)
            else:
                answers.append(client.recv(100) == line[:7])
    answers = []
    threads = [threading.Thread(target=exchange, args=(i,)) for i in range(count)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    say(answers)
`;

interface OurServer extends AsyncDisposable {
  readonly addressFamily: number;
  readonly socketType: number;
  readonly socket: Socket<number>;
  serveForever(): Promise<void>;
  shutdown(): Promise<void>;
}

const ours: [string, (path: string) => OurServer][] = [
  ['TCPServer', () => new TCPServer(HERE, EchoLineHandler)],
  ['TCPServer, one at a time,', () => new TCPServer(HERE, EchoLineHandler, { concurrency: 1 })],
  ['ThreadingTCPServer', () => new ThreadingTCPServer(HERE, LINES, { threads: 2 })],
  ['ForkingTCPServer', () => new ForkingTCPServer(HERE, LINES, { processes: 2 })],
  ['UDPServer', () => new UDPServer(HERE, EchoDatagramHandler)],
  ['ThreadingUDPServer', () => new ThreadingUDPServer(HERE, DATAGRAMS, { threads: 2 })],
  ['ForkingUDPServer', () => new ForkingUDPServer(HERE, DATAGRAMS, { processes: 2 })],
  ['UnixStreamServer', (path) => new UnixStreamServer({ path }, EchoLineHandler)],
  [
    'ThreadingUnixStreamServer',
    (path) => new ThreadingUnixStreamServer({ path }, LINES, { threads: 2 }),
  ],
  [
    'ForkingUnixStreamServer',
    (path) => new ForkingUnixStreamServer({ path }, LINES, { processes: 2 }),
  ],
  ['UnixDatagramServer', (path) => new UnixDatagramServer({ path }, EchoDatagramHandler)],
  [
    'ThreadingUnixDatagramServer',
    (path) => new ThreadingUnixDatagramServer({ path }, DATAGRAMS, { threads: 2 }),
  ],
  [
    'ForkingUnixDatagramServer',
    (path) => new ForkingUnixDatagramServer({ path }, DATAGRAMS, { processes: 2 }),
  ],
];

for (const [name, make] of ours) {
  test(`${name} answers 40 of Python's clients at once`, python, async () => {
    using directory = new TemporaryDirectory();
    await using server = make(directory.file('socket'));
    const serving = server.serveForever();
    const { host, port, path } = server.socket.getsockname() as {
      host?: string;
      port?: number;
      path?: string;
    };
    const address = path ?? [host, port];
    const { addressFamily, socketType } = server;
    await using peer = new PythonPeer(THEIR_CLIENTS, addressFamily, socketType, address, 40);
    assert.deepEqual(
      await peer.hear(),
      Array.from({ length: 40 }, () => true),
    );
    await peer.end();
    await server.shutdown();
    await serving;
  });
}

test('DatagramRequestHandler sends an empty answer where Python does', python, async () => {
  const script = `
    import socketserver
    class Silent(socketserver.DatagramRequestHandler):
        pass
    server = socketserver.UDPServer(('127.0.0.1', 0), Silent)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    say(server.server_address)
    hear()
  `;
  class Silent extends EchoDatagramHandler {
    override async handle(): Promise<void> {
      // Says nothing.
    }
  }
  await using peer = new PythonPeer(script);
  const [host, port] = await peer.hear<[string, number]>();
  await using server = new UDPServer(HERE, Silent);
  const serving = server.serveForever();
  for (const address of [{ host, port }, server.serverAddress]) {
    using client = new Socket<number>(AF_INET, SOCK_DGRAM);
    await client.sendto(Buffer.from('hello?'), address);
    const [data, from] = await client.recvfrom(100);
    assert.equal(data.length, 0);
    assert.deepEqual(from, address);
  }
  await server.shutdown();
  await serving;
});

test(
  'a handler that fails leaves its client what Python would: the end of the stream',
  python,
  async () => {
    const script = `
    import socketserver
    class Failing(socketserver.StreamRequestHandler):
        def handle(self):
            self.wfile.write(b'before\\n')
            raise ValueError('test')
    class Quiet(socketserver.TCPServer):
        def handle_error(self, request, client_address):
            pass
    server = Quiet(('127.0.0.1', 0), Failing)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    say(server.server_address)
    hear()
  `;
    class Failing extends EchoLineHandler {
      override async handle(): Promise<void> {
        await this.wfile.write(Buffer.from('before\n'));
        throw new RangeError('test');
      }
    }
    class Quiet extends TCPServer {
      override handleError(): void {
        // Says nothing.
      }
    }
    await using peer = new PythonPeer(script);
    const [host, port] = await peer.hear<[string, number]>();
    await using server = new Quiet(HERE, Failing);
    const serving = server.serveForever();
    for (const address of [{ host, port }, server.serverAddress]) {
      using client = new Socket<number>(AF_INET, SOCK_STREAM);
      await client.connect(address);
      const chunks: Buffer[] = [];
      for await (const chunk of client) chunks.push(chunk as Buffer);
      assert.equal(Buffer.concat(chunks).toString(), 'before\n');
    }
    await server.shutdown();
    await serving;
  },
);
