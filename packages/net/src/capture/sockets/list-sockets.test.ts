import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { AF_INET, SOCK_DGRAM } from '../../constants/index.ts';
import { createConnection, createServer, Socket, socketpair } from '../../socket/index.ts';
import { needs } from '../../testing/index.ts';
import { listSockets } from './list-sockets.ts';

const linux = await needs('linux');
const withSs = await needs('linux', 'ss');

test(
  'listSockets() shows a connection with its owner, its queues and TCP_INFO',
  linux,
  async () => {
    using listener = createServer({ host: '127.0.0.1', port: 0 });
    const address = listener.getsockname();
    using client = await createConnection(address);
    const [server] = await listener.accept();
    await client.sendall(Buffer.from('12345'));
    await server.poll(1);
    const text = `127.0.0.1:${address.port}`;
    const all = await listSockets({ families: ['inet'] });
    const listening = all.find(({ local, state }) => local === text && state === 'LISTEN');
    const accepted = all.find(({ local, state }) => local === text && state === 'ESTABLISHED');
    assert.equal(listening?.peer, '*:*');
    assert.equal(accepted?.receiveQueue, 5);
    assert.equal(accepted.peer, `127.0.0.1:${client.getsockname().port}`);
    assert.ok(accepted.owners.some(({ pid }) => pid === process.pid));
    assert.equal(accepted.tcpInfo?.bytesReceived, 5);
    server.close();
  },
);

test('listSockets() agrees with ss about sockets of ours', withSs, async () => {
  using listener = createServer({ host: '127.0.0.1', port: 0 });
  using client = await createConnection(listener.getsockname());
  using udp = new Socket(AF_INET, SOCK_DGRAM);
  udp.bind({ host: '127.0.0.1', port: 0 });
  udp.connectSync({ host: '127.0.0.1', port: 9 });
  const [left, right] = socketpair();
  const { stdout } = spawnSync('ss', ['-tuxnH'], { encoding: 'utf8' });
  const theirs = stdout.split('\n').map((line) => line.split(/\s+/));
  const all = await listSockets({ families: ['inet', 'unix'] });
  for (const socket of [client, udp]) {
    // Both ends: other connections of the machine may share one.
    const local = textOf(socket.getsockname());
    const peer = textOf(socket.getpeername());
    const row = theirs.find((columns) => columns[4] === local && columns[5] === peer);
    const ours = all.find((found) => found.local === local && found.peer === peer);
    assert.deepEqual(
      [ours?.type, ours?.receiveQueue, ours?.sendQueue],
      [row?.[0], Number(row?.[2]), Number(row?.[3])],
    );
  }
  const unix = all.filter(
    ({ family, owners }) => family === 'unix' && owners.some(({ pid }) => pid === process.pid),
  );
  const inodes = new Set(
    theirs.filter(([kind]) => kind?.startsWith('u_')).map((columns) => Number(columns[5])),
  );
  assert.ok(
    unix.filter(({ inode, state }) => state === 'ESTABLISHED' && inodes.has(inode)).length >= 2,
  );
  left.close();
  right.close();
});

// What ss calls them; the others have the kernel's names in both.
const SS_STATES: Readonly<Record<string, string>> = {
  ESTAB: 'ESTABLISHED',
  UNCONN: 'UNCONNECTED',
  'SYN-RECV': 'SYN-RECEIVED',
};
const SS_UNIX: Readonly<Record<string, string>> = {
  u_str: 'stream',
  u_dgr: 'dgram',
  u_seq: 'seqpacket',
};

test('listSockets() has every socket that ss -tuwxna has', withSs, async () => {
  // A queue that comes and goes may be the same before and after, and other in between; what we
  // lack is lacking each time.
  let missing = await missingRows();
  for (let round = 1; round < 10 && missing.length > 0; round++) {
    const again = new Set(await missingRows());
    missing = missing.filter((row) => again.has(row));
  }
  assert.deepEqual(missing, []);
});

/** Rows that ss has before and after we look, and we have not. */
async function missingRows(): Promise<string[]> {
  const before = ssRows();
  const all = await listSockets({ owners: false });
  const after = new Set(ssRows());
  const ours = new Set(
    all.map(({ family, type, state, receiveQueue, sendQueue, local, peer, inode }) => {
      const figures = [type, state, receiveQueue, sendQueue];
      const ends = family === 'unix' ? [local || '*', inode] : [local, peer].map(plainAddress);
      return [...figures, ...ends].join(' ');
    }),
  );
  const steady = before.filter((row) => after.has(row));
  assert.ok(steady.length > 0);
  return steady.filter((row) => !ours.has(row));
}

/** Of TCP, UDP, raw and Unix sockets: type, state, queues and ends, written as above. */
function ssRows(): string[] {
  const { stdout } = spawnSync('ss', ['-tuwxnaH'], { encoding: 'utf8', maxBuffer: 1 << 28 });
  const rows = stdout.split('\n').map((line) => line.trim().split(/\s+/));
  return rows.flatMap(([kind = '', state = '', ...rest]) => {
    const [receiveQueue, sendQueue, local = '', peer = ''] = rest;
    const figures = [SS_STATES[state] ?? state, receiveQueue, sendQueue];
    const unix = SS_UNIX[kind];
    if (unix !== undefined) return [[unix, ...figures, local, peer].join(' ')];
    // ss writes a raw socket's protocol where a port would be.
    if (!['tcp', 'udp'].includes(kind)) return [];
    return [[kind, ...figures, plainAddress(local), plainAddress(peer)].join(' ')];
  });
}

/** ss writes the unspecified address as `0.0.0.0`, `[::]` or `*`. */
function plainAddress(text: string): string {
  return text.replace(/^(?:\[::\]|0\.0\.0\.0)/, '*');
}

function textOf({ host, port }: { host: string; port: number }): string {
  return `${host}:${port}`;
}
