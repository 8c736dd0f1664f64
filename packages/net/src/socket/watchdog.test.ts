import assert from 'node:assert/strict';
import { test } from 'node:test';
import { POLLIN } from '../constants/index.ts';
import { needs, runNode, turns, until } from '../testing/index.ts';
import { engine } from './engine.ts';
import { descriptorOf } from './socket.ts';
import { fill, tcpPair, unixPair } from './sockets.test.util.ts';

const library = JSON.stringify(new URL('./index.js', import.meta.url));

/** Has the kernel report nothing more of the first `count` slots: their events are lost. */
function deafen(count: number): void {
  for (let slot = 0; slot < count; slot++) engine.rewatch(slot, 0);
}

test('events that got lost are found within a second, counted and reported once', async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on('warning', onWarning);
  using pair = unixPair();
  using full = unixPair();
  const filled = fill(full.client);
  const waits = [
    pair.client.recv(1),
    full.client.sendall(Buffer.from('end')),
    pair.server.poll(POLLIN),
  ];
  // Let sendall() reach the kernel and wait.
  await turns(2);
  deafen(8);
  const started = performance.now();
  pair.server.sendallSync(Buffer.from('x'));
  pair.client.sendallSync(Buffer.from('y'));
  for (let left = filled; left > 0; ) left -= full.server.recvSync(65_536).length;
  const [received, , polled] = await Promise.all(waits);
  assert.equal(String(received), 'x');
  assert.equal(polled, POLLIN);
  assert.equal(full.server.recvSync(10).toString(), 'end');
  assert.ok(performance.now() - started < 1_000, `${performance.now() - started} ms`);
  assert.equal(engine.lostEvents, 3);
  await turns();
  process.off('warning', onWarning);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]?.message ?? '', /readiness event of descriptor \d+ got lost/);
});

test('events that come in time are not counted, however busy the sockets are', async () => {
  const before = engine.lostEvents;
  const pairs = await Promise.all(Array.from({ length: 8 }, () => tcpPair()));
  const end = performance.now() + 1_300;
  await Promise.all(
    pairs.map(async ({ client, server }) => {
      while (performance.now() < end) {
        const receiving = server.recv(10);
        await client.sendall(Buffer.from('x'));
        await receiving;
      }
    }),
  );
  for (const pair of pairs) pair[Symbol.dispose]();
  assert.equal(engine.lostEvents, before);
});

test(
  'an EAGAIN that a filter injects costs no more than a second',
  await needs('strace'),
  async () => {
    const { stdout, stderr } = await runNode(
      `
    import { socketpair } from ${library};
    const [left, right] = socketpair();
    const receiving = right.recv(10);
    setTimeout(() => left.sendSync(Buffer.from('survives')), 20);
    console.log(String(await receiving));
  `,
      // The first recv is in earnest; the poller's, which follows the event, is told a lie.
      {
        under: [
          'strace',
          '-f',
          '-o',
          '/dev/null',
          '-e',
          'trace=recvfrom',
          '-e',
          'inject=recvfrom:error=EAGAIN:when=2',
        ],
      },
    );
    assert.equal(stdout, 'survives\n', stderr);
    assert.match(stderr, /SOCKEYE_LOST_EVENT/);
  },
);

test(
  'errors of accept4(2) that belong to a connection are passed over, others are not',
  await needs('strace'),
  async () => {
    const source = `
    import { Socket } from ${library};
    const listener = new Socket();
    listener.bind({ host: '127.0.0.1', port: 0 });
    listener.listen();
    const accepting = listener.accept().then(([socket]) => { socket.close(); return 'accepted'; }, (error) => error.code);
    const client = new Socket();
    await client.connect(listener.getsockname());
    console.log(await accepting);
    client.close();
    listener.close();
  `;
    const under = (errno: string) => [
      'strace',
      '-f',
      '-o',
      '/dev/null',
      '-e',
      'trace=accept4',
      '-e',
      `inject=accept4:error=${errno}:when=2`,
    ];
    await Promise.all(
      ['ECONNABORTED', 'EPROTO', 'EPERM', 'EINTR', 'ENETDOWN'].map(async (errno) => {
        assert.equal((await runNode(source, { under: under(errno) })).stdout, 'accepted\n', errno);
      }),
    );
    // The poller's attempt and the one after it.
    const both = under('ENOMEM').join(' ').replace('when=2', 'when=2..3').split(' ');
    assert.equal((await runNode(source, { under: both })).stdout, 'ENOMEM\n');
  },
);

test('EINTR of any transfer is retried', await needs('strace'), async () => {
  const { stdout } = await runNode(
    `
    import { socketpair } from ${library};
    const [left, right] = socketpair();
    await left.sendall(Buffer.from('one'));
    await left.send(Buffer.from('two'));
    console.log(String(await right.recv(3)), String(right.recvSync(3)));
  `,
    {
      under: [
        'strace',
        '-f',
        '-o',
        '/dev/null',
        '-e',
        'trace=recvfrom,sendto',
        '-e',
        'inject=recvfrom,sendto:error=EINTR:when=1+2',
      ],
    },
  );
  assert.equal(stdout, 'one two\n');
});

test('what idles lets go of its lane for sends: nothing that waits in it, no count is lost', async () => {
  using pair = await tcpPair();
  using full = unixPair();
  const [idle, busy] = [descriptorOf(pair.server), descriptorOf(full.client)];
  const filled = fill(full.client);
  const sending = full.client.sendall(Buffer.from('end'));
  await pair.server.sendall(Buffer.from('12345'));
  const [idleLane, busyLane] = [idle.writer, busy.writer];
  const chunk = pair.server.recv(10);
  // A turn later, the watchdog's next round.
  await pair.client.recv(10);
  await until(() => idle.writer !== idleLane, 'the rest');
  assert.equal(busy.writer, busyLane);
  assert.equal(idle.sent, 5);
  await pair.server.sendall(Buffer.from('678'));
  assert.equal(idle.sent, 8);
  assert.equal(String(await pair.client.recv(10)), '678');
  await pair.client.sendall(Buffer.from('answer'));
  assert.equal(String(await chunk), 'answer');
  for (let left = filled; left > 0; ) left -= full.server.recvSync(65_536).length;
  await sending;
  assert.equal(full.server.recvSync(10).toString(), 'end');
});
