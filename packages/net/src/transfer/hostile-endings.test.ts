import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { countDescriptors, needs, until } from '../testing/index.ts';
import { plainEntry } from './hostile-sender.test.util.ts';
import { encodeMessage } from './protocol/encode-message.ts';
import { receiveFiles } from './receive-files.ts';
import { LOOPBACK, TwoDirectories } from './transfers.test.util.ts';
import { generateSecret, secretKey } from './wire/pairing-secret.ts';

/** A receiver of short patience, and why its sessions ended. */
async function impatient(inbox: string, at: Parameters<typeof receiveFiles>[1]) {
  const ended: string[] = [];
  const receiver = await receiveFiles(inbox, at, {
    insecure: true,
    idleTimeoutMs: 500,
    frameTimeoutMs: 500,
    onEvent: (event) => {
      if (event.type === 'ended') ended.push(event.error.message);
    },
  });
  return { receiver, ended };
}

test('receiveFiles() gives up a sender that reads no answer once all is sent', async () => {
  using place = new TwoDirectories();
  // A Unix socket takes some 200 kB that nobody reads. Each entry is refused with 1 kB, for there is no
  // directory above it: not so much that it would have stopped reading before.
  const path = join(place.source, 'socket');
  const { receiver, ended } = await impatient(place.inbox, { path });
  const sender = connect(path).on('error', () => undefined);
  await once(sender, 'connect');
  sender.pause();
  const entries = 350;
  const hashes = ['sha256'];
  const messages = [
    encodeMessage({ type: 'hello', role: 'sender', minVersion: 1, maxVersion: 1, hashes }),
    encodeMessage({ type: 'offer', entries, bytes: 0, names: [] }),
    ...Array.from({ length: entries }, (_, id) => {
      const above = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(250));
      const entry = { ...plainEntry(above, 0, id), kind: 'directory' as const };
      return encodeMessage({ type: 'entry', entry });
    }),
    encodeMessage({ type: 'done' }),
  ];
  sender.write(Buffer.concat(messages));
  await until(() => ended.length === 1, 'the session ended', 20_000);
  assert.match(ended[0] ?? '', /reads nothing/);
  sender.destroy();
  await receiver.close();
});

test('receiveFiles() keeps no place for a peer that says nothing but PING', async () => {
  using place = new TwoDirectories();
  const { receiver, ended } = await impatient(place.inbox, LOOPBACK);
  const { port } = receiver.address as { port: number };
  const peer = connect(port, '127.0.0.1').on('error', () => undefined);
  const pings = setInterval(() => peer.write(encodeMessage({ type: 'ping' })), 100);
  await until(() => ended.length === 1, 'the session ended');
  clearInterval(pings);
  peer.destroy();
  await receiver.close();
});

test(
  'receiveFiles() keeps no connection of a peer that never ends it',
  await needs('linux'),
  async () => {
    using place = new TwoDirectories();
    const secret = generateSecret();
    await using receiver = await receiveFiles(place.inbox, LOOPBACK, { secret });
    const { port } = receiver.address as { port: number };
    const before = countDescriptors('socket:');
    const peers = Array.from({ length: 5 }, () => sayAll(port, secret));
    await Promise.all(peers.map((peer) => once(peer, 'end')));
    // Their own ends of them are open; the receiver's are not.
    const most = before + peers.length;
    await until(() => countDescriptors('socket:') <= most, 'the receiver has closed');
    for (const peer of peers) peer.destroy();
  },
);

/** A peer that knows the secret, has nothing to send, and stays. */
function sayAll(port: number, secret: string): TLSSocket {
  const hashes = ['sha256'];
  const peer = connectTls({
    socket: connect({ port, host: '127.0.0.1', allowHalfOpen: true }),
    ciphers: 'TLS_AES_128_GCM_SHA256',
    minVersion: 'TLSv1.3',
    checkServerIdentity: () => undefined,
    pskCallback: () => ({ psk: secretKey(secret), identity: 'sockeye-transfer-1' }),
  });
  peer.write(
    Buffer.concat([
      encodeMessage({ type: 'hello', role: 'sender', minVersion: 1, maxVersion: 1, hashes }),
      encodeMessage({ type: 'offer', entries: 0, bytes: 0, names: [] }),
      encodeMessage({ type: 'done' }),
    ]),
  );
  return peer.resume();
}
