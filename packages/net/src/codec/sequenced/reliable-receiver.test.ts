import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReliableReceiver, type ReceiverAction } from './reliable-receiver.ts';
import { decodeSequenced } from './sequenced-packet.ts';

const packet = (sequence: number) =>
  ({
    type: 'data',
    stream: 1,
    sequence,
    acknowledge: true,
    payload: Buffer.from([sequence & 0xff]),
  }) as const;

function brief(actions: ReceiverAction[]): string[] {
  return actions.map((action) => {
    if (action.type === 'deliver') return `deliver ${action.sequence}`;
    if (action.type === 'held') return `held ${action.sequence} missing ${action.missing}`;
    if (action.type === 'dropped') return `${action.reason} ${action.sequence}`;
    const ack = decodeSequenced(action.datagram);
    assert.ok(ack.type === 'ack');
    return `ack ${ack.next} ${ack.selective.toString(2)}`;
  });
}

const table: [sequence: number, actions: string[]][] = [
  [0, ['deliver 0', 'ack 1 0']],
  [0, ['duplicate 0', 'ack 1 0']],
  [2, ['held 2 missing 1', 'ack 1 1']],
  [4, ['held 4 missing 2', 'ack 1 101']],
  [4, ['duplicate 4', 'ack 1 101']],
  [34, ['beyond 34', 'ack 1 101']],
  [33, ['held 33 missing 30', `ack 1 1${'0'.repeat(28)}101`]],
  [1, ['deliver 1', 'deliver 2', `ack 3 1${'0'.repeat(28)}1`]],
  [3, ['deliver 3', 'deliver 4', `ack 5 1${'0'.repeat(27)}`]],
];

test('receive() delivers in order and once, and acknowledges everything', () => {
  for (const first of [0, 0xffff_fffd]) {
    const receiver = new ReliableReceiver({ stream: 1, firstSequence: first });
    for (const [sequence, actions] of table) {
      const seen = brief(receiver.receive(packet((first + sequence) >>> 0)));
      const moved = actions.map((action) =>
        action.replace(/ (\d+)/, (_, number) => ` ${(first + Number(number)) >>> 0}`),
      );
      assert.deepEqual(seen, moved);
    }
    assert.equal(receiver.next, (first + 5) >>> 0);
  }
});

test('receive() copies a message that has to wait', () => {
  const receiver = new ReliableReceiver({ stream: 1 });
  const payload = Buffer.from('b');
  receiver.receive({ ...packet(1), payload });
  payload.fill('!');
  const delivered = receiver.receive(packet(0)).filter((action) => action.type === 'deliver');
  assert.equal(String(delivered[1]?.payload), 'b');
});

test('receive() refuses another stream, and the constructor a wrong first number', () => {
  const receiver = new ReliableReceiver({ stream: 2 });
  assert.throws(() => receiver.receive(packet(0)), {
    name: 'RangeError',
    message: /stream 1, this receiver's is 2/,
  });
  assert.throws(() => new ReliableReceiver({ stream: 1, firstSequence: -1 }), {
    name: 'RangeError',
  });
});
