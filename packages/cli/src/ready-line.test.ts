import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { start, startListening, startPython, temporaryDirectory } from './command.test.util.ts';

const ANYWHERE = '127.0.0.1:0';
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

const SERVERS: readonly (readonly string[])[] = [
  ['serve', ANYWHERE],
  ['serve', ANYWHERE, `udp://${ANYWHERE}`, ANYWHERE],
  ['serve', ANYWHERE, '--chat'],
  ['serve', ANYWHERE, '--json'],
  ['listen', ANYWHERE, '--keep'],
  ['listen', `udp://${ANYWHERE}`, '--keep'],
  ['forward', ANYWHERE, '127.0.0.1:9'],
  ['forward', `udp://${ANYWHERE}`, 'udp://127.0.0.1:9'],
  ['bench', '--serve', ANYWHERE],
  ['bench', '--serve', `udp://${ANYWHERE}`],
];

for (const args of SERVERS) {
  for (const signal of SIGNALS) {
    test(`sockeye ${args.join(' ')} ends with 0 on ${signal} as soon as it says that it listens`, async (t) => {
      const file = join(temporaryDirectory(t), 'port');
      const more = args[0] === 'bench' ? [] : ['--port-file', file];
      const server = start(t, ...args, ...more);
      await server.until(({ stderr }) => stderr.includes('listening on '));
      server.child.kill(signal);
      const { status, stderr } = await server.exit();
      assert.equal(status, 0, stderr);
      // Nothing but whole lines that say where, and of one that drains how long.
      assert.match(stderr, /^(listening on \S+\n)+(.*client.*\n)?$/);
      if (more.length > 0) assert.match(readFileSync(file, 'utf8'), /^\d+\n/);
    });
  }
}

for (const signal of SIGNALS) {
  test(`sockeye listen --keep has written what its last peer said before ${signal}`, async (t) => {
    const listener = await startListening(t, ['listen', ANYWHERE, '--keep']);
    const peer = startPython(
      t,
      `c = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20)
c.sendall(b'0123456789' * 50_000); c.shutdown(socket.SHUT_WR); print(c.recv(1))`,
      listener.ports[0] as number,
    );
    await peer.exit();
    listener.child.kill(signal);
    const { status, stdout } = await listener.exit();
    assert.equal(status, 0);
    assert.equal(stdout, '0123456789'.repeat(50_000));
  });
}
