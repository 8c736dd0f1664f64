import assert from 'node:assert/strict';
import { type Random, xorshift } from './codec-samples.test.util.ts';
import { ProtocolError } from './protocol-error.ts';
import { ReliableReceiver } from './sequenced/reliable-receiver.ts';
import { ReliableSender } from './sequenced/reliable-sender.ts';
import { decodeSequenced, encodeSequenced } from './sequenced/sequenced-packet.ts';
import { SequenceTracker } from './sequenced/sequence-tracker.ts';

/**
 * Feeds random and damaged datagrams to a sender, a receiver and a tracker: fails on any error but
 * a ProtocolError, on more than a window in flight, and on a message delivered out of order.
 */
export function checkDatagrams({ executions, seed }: { executions: number; seed: number }) {
  const random = xorshift(seed);
  let errors = 0;
  let delivered = 0;
  let sender = new ReliableSender({ stream: 1 });
  const receiver = new ReliableReceiver({ stream: 1 });
  const tracker = new SequenceTracker({ window: 64 });
  for (let now = 0; now < executions; now++) {
    if (sender.ready) sender.send(Buffer.alloc(random(4)), now);
    const failed = sender.tick(now).some(({ type }) => type === 'failed');
    if (failed) sender = new ReliableSender({ stream: 1 });
    assert.ok(sender.inFlight <= 32);
    try {
      const packet = decodeSequenced(randomDatagram(random, receiver.next));
      if (packet.type === 'ack') {
        sender.receive(packet, now);
        continue;
      }
      tracker.observe(packet.sequence);
      if (packet.stream !== 1) continue;
      let expected = receiver.next;
      for (const action of receiver.receive(packet)) {
        if (action.type !== 'deliver') continue;
        assert.equal(action.sequence, expected);
        expected = (expected + 1) >>> 0;
        delivered++;
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      errors++;
    }
    assert.ok(tracker.counts.missing < 64);
  }
  return { executions, errors, delivered };
}

function randomDatagram(random: Random, next: number): Buffer {
  const near = (next + random(40) - 4) >>> 0;
  const serial = random(8) === 0 ? random(2 ** 32) : near;
  const stream = random(8) === 0 ? 2 : 1;
  const bytes =
    random(2) === 0
      ? encodeSequenced({
          type: 'data',
          stream,
          sequence: serial,
          acknowledge: random(2) === 0,
          payload: Buffer.alloc(random(3)),
        })
      : encodeSequenced({ type: 'ack', stream, next: random(64), selective: random(2 ** 32) });
  if (random(4) === 0) bytes[random(bytes.length)] = random(256);
  return random(8) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes;
}
