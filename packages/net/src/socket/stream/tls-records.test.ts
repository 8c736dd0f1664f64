import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { native } from '@sockeye/native';
import { TlsRecords, type TlsSide } from './tls-records.ts';
import { TrafficKey } from './traffic-key.ts';

const SUITE = 'TLS_AES_128_GCM_SHA256';
const HANDSHAKE = 22;
const ALERT = 21;
const DATA = 23;

class End {
  readonly records: TlsRecords;
  readonly answers: Buffer[] = [];
  #whenSent: (() => void)[] = [];

  constructor(side: TlsSide, [theirs, ours]: [read: Buffer, write: Buffer]) {
    const read = TrafficKey.of(SUITE, theirs, false) as TrafficKey;
    const write = TrafficKey.of(SUITE, ours, true) as TrafficKey;
    this.records = new TlsRecords({ side, read, write }, (sealed) => {
      this.answers.push(sealed);
      return new Promise((resolve) => this.#whenSent.push(resolve));
    });
  }

  /** The answers have left. */
  async flush(): Promise<void> {
    for (const resolve of this.#whenSent.splice(0)) resolve();
    await Promise.resolve();
  }

  data(text: string): Buffer {
    const target = Buffer.alloc(TlsRecords.sealedBytes(text.length));
    return target.subarray(0, this.records.seal(Buffer.from(text), target));
  }

  hears(...sealed: Buffer[]): string {
    const all = Buffer.concat(sealed);
    const target = Buffer.alloc(all.length);
    return target.toString('utf8', 0, this.records.open(all, 0, all.length, target));
  }

  get alert(): number | undefined {
    return (this.records.failure as { alert?: number } | undefined)?.alert;
  }
}

/** A peer that says what it likes. */
class Peer {
  #key: TrafficKey;

  constructor(secret: Buffer) {
    this.#key = TrafficKey.of(SUITE, secret, true) as TrafficKey;
  }

  seal(type: number, content: Buffer): Buffer {
    const target = Buffer.alloc(TlsRecords.sealedBytes(content.length));
    const { key } = this.#key;
    const bytes = native.sealTlsRecords(key, type, content, 0, content.length, target, 0);
    return target.subarray(0, bytes);
  }

  data(text: string): Buffer {
    return this.seal(DATA, Buffer.from(text));
  }

  /** Changes its key, and asks for as much. */
  changeKey(): Buffer {
    const sealed = this.seal(HANDSHAKE, keyUpdate(1));
    this.#key = this.#key.next();
    return sealed;
  }
}

function ends(): { client: End; server: End; clientSecret: Buffer; serverSecret: Buffer } {
  const [serverSecret, clientSecret] = [randomBytes(32), randomBytes(32)];
  return {
    client: new End('client', [serverSecret, clientSecret]),
    server: new End('server', [clientSecret, serverSecret]),
    clientSecret,
    serverSecret,
  };
}

function message(type: number, body: Buffer, length: number = body.length): Buffer {
  const head = Buffer.from([type, 0, 0, 0]);
  head.writeUIntBE(length, 1, 3);
  return Buffer.concat([head, body]);
}

const ticket = (bytes: number): Buffer => message(4, randomBytes(bytes));
const keyUpdate = (request: number): Buffer => message(24, Buffer.from([request]));

test('a client takes session tickets in any pieces, and the data behind them', () => {
  const { client, server } = ends();
  for (const byte of ticket(5000))
    client.hears(server.records.again(HANDSHAKE, Buffer.from([byte])));
  const two = Buffer.concat([ticket(10), ticket(20_000)]);
  const pieces = [two.subarray(0, 16_000), two.subarray(16_000)];
  const sealed = pieces.map((piece) => server.records.again(HANDSHAKE, piece));
  assert.equal(client.hears(...sealed, server.data('behind')), 'behind');
  assert.equal(client.records.failure, undefined);
});

test('a server refuses a session ticket at its head', () => {
  const { client, server } = ends();
  server.hears(client.records.again(HANDSHAKE, ticket(100_000).subarray(0, 4)));
  assert.equal(server.alert, 10);
  assert.equal(server.answers.length, 1);
});

const wrong: readonly [string, (peer: TlsRecords) => Buffer[], number][] = [
  ['a message inside which data comes', () => [ticket(8).subarray(0, 5)], 10],
  ['a message without an end', () => [message(4, Buffer.alloc(0), 0xffffff)], 47],
  ['a ticket that is empty', () => [message(4, Buffer.alloc(0))], 50],
  ['a handshake message of another kind', () => [message(13, Buffer.alloc(3))], 10],
  ['a KeyUpdate that is too long', () => [message(24, Buffer.from([0, 0]))], 50],
  ['a KeyUpdate that asks for what there is not', () => [keyUpdate(2)], 47],
  ['a KeyUpdate with something behind it', () => [Buffer.concat([keyUpdate(0), ticket(1)])], 10],
  ['an empty handshake record', () => [Buffer.alloc(0)], 10],
];

for (const [what, messages, alert] of wrong) {
  test(`${what} ends the connection, after the data before it`, () => {
    const { client, server } = ends();
    const before = server.data('before');
    const sealed = messages(server.records).map((content) =>
      server.records.again(HANDSHAKE, content),
    );
    assert.match(client.hears(before, ...sealed, server.data('x')), /^before/);
    assert.equal(client.alert, alert);
    assert.equal(client.hears(server.data('never')), '');
    server.hears(...client.answers);
    assert.equal(server.alert, alert);
  });
}

test('one answer does for all requests that come before it has left', async () => {
  const { client, server, clientSecret } = ends();
  const peer = new Peer(clientSecret);
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 10; i++) {
      server.hears(peer.changeKey());
      assert.equal(server.hears(peer.data('by the new key')), 'by the new key');
    }
    assert.equal(server.answers.length, 1);
    assert.equal(client.hears(...server.answers.splice(0), server.data('answered')), 'answered');
    await server.flush();
  }
});

test('a peer that changes its key without end in one go is refused', () => {
  const { client, server } = ends();
  const few = Array.from({ length: 32 }, () => client.records.updateKey());
  assert.equal(server.hears(...few, client.data('so many are all right')), 'so many are all right');
  const many = Array.from({ length: 33 }, () => client.records.updateKey());
  assert.equal(server.hears(...many, client.data('never')), '');
  assert.equal(server.alert, 10);
});

test('behind close_notify nothing counts, and who has said it answers no more', () => {
  const { client, server, serverSecret } = ends();
  const last = client.data('last');
  assert.equal(server.hears(last, client.records.close(), client.data('x')), 'last');
  assert.equal(server.records.hasEnded, true);
  const peer = new Peer(serverSecret);
  client.hears(peer.changeKey());
  assert.equal(client.hears(peer.data('still heard')), 'still heard');
  client.hears(peer.seal(HANDSHAKE, Buffer.alloc(0)));
  assert.equal(client.alert, 10);
  assert.equal(client.answers.length, 0);
});

test("the peer's alert is the failure, and user_canceled is none", () => {
  const { client, server } = ends();
  assert.equal(
    client.hears(server.records.again(ALERT, Buffer.from([1, 90])), server.data('a')),
    'a',
  );
  assert.equal(
    client.hears(server.records.again(ALERT, Buffer.from([2, 48])), server.data('b')),
    '',
  );
  assert.equal(client.alert, 48);
  assert.equal(client.answers.length, 0);
  assert.match(String(client.records.failure), /the peer ended the TLS connection: unknown CA/);
});
