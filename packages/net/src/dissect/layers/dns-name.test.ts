import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ethernetFrame } from '../build/link-frame.ts';
import { createDissector, type Dissection } from '../dissect.ts';
import { ascii, hex, udpPacket } from '../samples.test.util.ts';

const dissect = createDissector();
const header = '1234 0100 0001 0000 0000 0000';

function query(name: Uint8Array): Dissection {
  const message = Uint8Array.of(...hex(header), ...name, 0, 1, 0, 1);
  const path = { source: '192.0.2.1', destination: '192.0.2.2' };
  return dissect(ethernetFrame(udpPacket(path, [5000, 53], message)));
}

const nameOf = ({ layers }: Dissection): unknown => layers.at(-1)?.value('dns.qry.name');

test('dnsName() escapes dots, backslashes and what is not printable inside a label', () => {
  assert.equal(
    nameOf(query(Uint8Array.of(5, ...ascii('a.b\\'), 0x1b, 2, 0xe4, 0x20, 0))),
    'a\\046b\\092\\027.\\228\\032',
  );
});

test('dnsName() of the root is a dot', () => {
  assert.equal(nameOf(query(Uint8Array.of(0))), '.');
});

const wrong: readonly (readonly [string, Uint8Array, string])[] = [
  ['a pointer to itself', hex('c00c'), 'a name pointer that points backwards'],
  ['a pointer forwards', hex('c010'), 'a name pointer that points backwards'],
  ['a pointer into its own part', hex('0161 c00c'), 'a name pointer that points backwards'],
  ['a label type that was never used', hex('40 00'), 'a label of at most 63 bytes'],
  [
    'more than 255 bytes',
    Uint8Array.of(...Array.from({ length: 300 }, (_, index) => (index % 2 === 0 ? 1 : 97)), 0),
    'a name of at most 255 bytes',
  ],
];

for (const [what, name, expected] of wrong) {
  test(`dnsName() stops at ${what}`, () => {
    const { stops } = query(name);
    assert.deepEqual(
      stops.map((stop) => [stop.reason, stop.expected]),
      [['malformed', expected]],
    );
  });
}
