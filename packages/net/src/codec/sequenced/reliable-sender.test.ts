import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReliableSender, type SenderAction } from './reliable-sender.ts';
import { decodeSequenced } from './sequenced-packet.ts';

const brief = (actions: SenderAction[]) =>
  actions.map(({ type, sequence }) => `${type} ${sequence}`);
const ack = (next: number, ...beyond: number[]) => {
  const selective = beyond.reduce((bits, sequence) => bits | (1 << (sequence - next - 1)), 0) >>> 0;
  return { type: 'ack', stream: 1, next, selective } as const;
};
/** A sender with messages 0 … count − 1 sent at time 0. */
function sending(count: number): ReliableSender {
  const sender = new ReliableSender({ stream: 1 });
  for (let sequence = 0; sequence < count; sequence++) sender.send(Buffer.from([sequence]), 0);
  return sender;
}

test('send() numbers messages and asks for acknowledgements', () => {
  const sender = new ReliableSender({ stream: 9, firstSequence: 0xffff_ffff });
  const packets = [...sender.send(Buffer.from('a'), 0), ...sender.send(Buffer.from('b'), 0)].map(
    (action) => {
      assert.ok(action.type === 'transmit');
      return decodeSequenced(action.datagram);
    },
  );
  const common = { type: 'data', stream: 9, acknowledge: true };
  assert.deepEqual(packets, [
    { ...common, sequence: 0xffff_ffff, payload: Buffer.from('a') },
    { ...common, sequence: 0, payload: Buffer.from('b') },
  ]);
  assert.deepEqual(brief(sender.receive({ type: 'ack', stream: 9, next: 1, selective: 0 }, 1)), [
    'acknowledged 4294967295',
    'acknowledged 0',
  ]);
});

test('send() throws when the window is full, until the oldest is acknowledged', () => {
  const sender = sending(32);
  assert.equal(sender.ready, false);
  assert.throws(() => sender.send(Buffer.alloc(0), 0), {
    message: 'Cannot send message: window 32 is full',
  });
  sender.receive(ack(0, 1, 2), 1);
  assert.equal(sender.ready, false);
  sender.receive(ack(3), 1);
  assert.equal(sender.ready, true);
  assert.equal(sender.inFlight, 29);
});

test('tick() sends the oldest again at 1, 3, 7, 15, 31 and 63 s, and fails at 123 s', () => {
  const sender = sending(2);
  const seen: string[] = [];
  for (let now = 0; now <= 200_000; now += 1000) {
    for (const action of brief(sender.tick(now))) seen.push(`${now / 1000} ${action}`);
  }
  const again = [1, 3, 7, 15, 31, 63].map((second) => `${second} transmit 0`);
  assert.deepEqual(seen, [...again, '123 failed 0']);
  assert.equal(sender.deadline, undefined);
  assert.equal(sender.ready, false);
  assert.throws(() => sender.send(Buffer.alloc(0), 0), {
    message: 'Cannot send message: the sender has failed',
  });
  assert.deepEqual(sender.receive(ack(2), 200_000), []);
});

test('receive() stops the timer when nothing is left and restarts it otherwise', () => {
  const sender = sending(2);
  sender.receive(ack(1), 400);
  // One round trip of 400: RTO 400 + 4 · 200 ms.
  assert.equal(sender.rtoMs, 1200);
  assert.equal(sender.deadline, 1600);
  sender.receive(ack(2), 500);
  assert.equal(sender.deadline, undefined);
});

test('receive() takes no round trip from a message that was sent twice', () => {
  const sender = sending(1);
  sender.tick(1000);
  assert.equal(sender.rtoMs, 2000);
  sender.receive(ack(1), 1001);
  assert.equal(sender.rtoMs, 2000);
  sender.send(Buffer.alloc(0), 2000);
  sender.receive(ack(2), 2010);
  assert.equal(sender.rtoMs, 1000);
});

test('receive() sends a message again, once, when three later ones have been acknowledged', () => {
  const sender = sending(6);
  assert.deepEqual(brief(sender.receive(ack(0, 1), 1)), ['acknowledged 1']);
  assert.deepEqual(brief(sender.receive(ack(0, 1, 2), 2)), ['acknowledged 2']);
  assert.deepEqual(brief(sender.receive(ack(0, 1, 2, 3), 3)), ['acknowledged 3', 'transmit 0']);
  assert.deepEqual(brief(sender.receive(ack(0, 1, 2, 3, 4), 4)), ['acknowledged 4']);
  assert.deepEqual(brief(sender.receive(ack(5), 5)), ['acknowledged 0']);
});

test('receive() after a timeout sends two suspects again for each message acknowledged', () => {
  const sender = sending(8);
  assert.deepEqual(brief(sender.tick(1000)), ['transmit 0']);
  assert.deepEqual(brief(sender.receive(ack(1), 1100)), [
    'acknowledged 0',
    'transmit 1',
    'transmit 2',
  ]);
  assert.deepEqual(brief(sender.receive(ack(3), 1200)), [
    'acknowledged 1',
    'acknowledged 2',
    'transmit 3',
    'transmit 4',
    'transmit 5',
    'transmit 6',
  ]);
});

test('receive() ignores what is old, another stream, or was never sent', () => {
  const sender = sending(3);
  sender.receive(ack(2), 1);
  const { deadline } = sender;
  for (const packet of [
    ack(1),
    ack(4),
    { ...ack(3), stream: 2 },
    ack(2),
    { ...ack(2), selective: 0xffff_ffff },
  ]) {
    assert.deepEqual(sender.receive(packet, 2), [], JSON.stringify(packet));
  }
  assert.equal(sender.deadline, deadline);
  assert.equal(sender.inFlight, 1);
});

test('receive() takes from a late acknowledgement what is still news', () => {
  const sender = sending(4);
  sender.receive(ack(2), 1);
  assert.deepEqual(brief(sender.receive(ack(1, 3), 2)), ['acknowledged 3']);
  assert.deepEqual(brief(sender.receive(ack(3), 3)), ['acknowledged 2']);
});

test('receive() takes nothing from an acknowledgement of long ago', () => {
  const sender = sending(32);
  sender.receive(ack(32), 1);
  for (let count = 0; count < 32; count++) sender.send(Buffer.alloc(0), 1);
  sender.receive(ack(40), 2);
  const longAgo = { ...ack(5), selective: 0xffff_ffff };
  assert.deepEqual(sender.receive(longAgo, 3), []);
});

test('new ReliableSender() refuses wrong options by name', () => {
  assert.throws(() => new ReliableSender({ stream: -1 }), {
    name: 'RangeError',
    message: /stream -1/,
  });
  assert.throws(() => new ReliableSender({ stream: 1, window: 33 }), { message: /window 33/ });
  assert.throws(() => new ReliableSender({ stream: 1, window: 0 }), { message: /window 0/ });
  assert.throws(() => new ReliableSender({ stream: 1, maxRetransmissions: -1 }), {
    name: 'RangeError',
  });
  assert.throws(() => new ReliableSender({ stream: 1, minRtoMs: 0 }), { name: 'RangeError' });
});
