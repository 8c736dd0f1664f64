import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  AF_ALG,
  AF_BLUETOOTH,
  AF_CAN,
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  AF_PACKET,
  AF_QIPCRTR,
  AF_RDS,
  AF_TIPC,
  AF_UNIX,
  AF_UNSPEC,
  AF_VSOCK,
  AF_X25,
  CAN_BCM,
  CAN_ISOTP,
  CAN_J1939,
  CAN_RAW,
  TIPC_ADDR_ID,
  TIPC_ADDR_NAME,
  TIPC_ADDR_NAMESEQ,
} from '../constants/index.ts';
import type { AddressContext, AddressInput, InterfaceNames } from './address.ts';
import { decodeAddress } from './decode-address.ts';
import { encodeAddress, encodeAddressInto } from './encode-address.ts';
import { formatIpv4 } from './ipv4-text.ts';
import { inetNtop } from './inet.ts';
import { MAX_ADDRESS_LENGTH } from './sockaddr.ts';

const bits8 = fc.nat(0xff);
const bits16 = fc.nat(0xffff);
const bits32 = fc.nat(0xffffffff);
const hwaddr = fc.uint8Array({ maxLength: 32 }).map((bytes) => Buffer.from(bytes));
const bdaddr = fc
  .array(bits8, { minLength: 6, maxLength: 6 })
  .map((bytes) => bytes.map((byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join(':'));
const ipv6 = fc
  .array(fc.oneof(fc.constant(0), bits8), { minLength: 16, maxLength: 16 })
  .map((bytes) => inetNtop(AF_INET6, Uint8Array.from(bytes)));
/** Without NUL, whose place matters, and of a length that fits as UTF-8. */
const word = fc.string({ unit: 'binary', maxLength: 24 }).map((text) => text.replaceAll('\0', ''));
const ascii = (maxLength: number) =>
  fc.string({ unit: 'grapheme-ascii', maxLength }).map((text) => text.replaceAll('\0', ''));

// BTPROTO_* of the kernel's net/bluetooth/bluetooth.h, which no installed header need have.
const [L2CAP, HCI, SCO, RFCOMM] = [0, 1, 2, 3];

const interfaces: InterfaceNames = {
  ifNametoindex: (name) => Number(name.slice('test'.length)),
  ifIndextoname: (index) => `test${index}`,
};
const interfaceName = fc.oneof(
  fc.constant(''),
  fc.integer({ min: 1, max: 0x7fffffff }).map((index) => `test${index}`),
);

/** Every form of address, as the library returns it. */
const forms: {
  form: string;
  family: number;
  /** Undefined where the headers lack it: then the form is not to be had. */
  proto?: number | undefined;
  address: fc.Arbitrary<AddressInput>;
}[] = [
  {
    form: 'AF_INET',
    family: AF_INET,
    address: fc.record({ host: bits32.map(formatIpv4), port: bits16 }),
  },
  {
    form: 'AF_RDS',
    family: AF_RDS,
    address: fc.record({ host: bits32.map(formatIpv4), port: bits16 }),
  },
  {
    form: 'AF_INET6',
    family: AF_INET6,
    address: fc.record({ host: ipv6, port: bits16, flowinfo: fc.nat(0xfffff), scopeId: bits32 }),
  },
  { form: 'AF_UNIX path', family: AF_UNIX, address: fc.record({ path: word }) },
  {
    form: 'AF_UNIX abstract name',
    family: AF_UNIX,
    address: fc.record({
      path: fc.string({ unit: 'binary', maxLength: 24 }).map((name) => `\0${name}`),
    }),
  },
  {
    form: 'AF_PACKET',
    family: AF_PACKET,
    address: fc.record({
      interface: interfaceName,
      protocol: bits16,
      pkttype: bits8,
      hatype: bits16,
      hwaddr,
    }),
  },
  { form: 'AF_NETLINK', family: AF_NETLINK, address: fc.record({ pid: bits32, groups: bits32 }) },
  { form: 'AF_VSOCK', family: AF_VSOCK, address: fc.record({ cid: bits32, port: bits32 }) },
  {
    form: 'AF_CAN raw',
    family: AF_CAN,
    proto: CAN_RAW,
    address: fc.record({ interface: interfaceName }),
  },
  {
    form: 'AF_CAN BCM',
    family: AF_CAN,
    proto: CAN_BCM,
    address: fc.record({ interface: interfaceName }),
  },
  {
    form: 'AF_CAN ISO-TP',
    family: AF_CAN,
    proto: CAN_ISOTP,
    address: fc.record({ interface: interfaceName, rxId: bits32, txId: bits32 }),
  },
  {
    form: 'AF_CAN J1939',
    family: AF_CAN,
    proto: CAN_J1939,
    address: fc.record({
      interface: interfaceName,
      name: fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
      pgn: bits32,
      addr: bits8,
    }),
  },
  {
    form: 'AF_TIPC range',
    family: AF_TIPC,
    address: fc.record({
      addrType: fc.constant<typeof TIPC_ADDR_NAMESEQ>(TIPC_ADDR_NAMESEQ),
      type: bits32,
      lower: bits32,
      upper: bits32,
      scope: fc.integer({ min: -128, max: 127 }),
    }),
  },
  {
    form: 'AF_TIPC service',
    family: AF_TIPC,
    address: fc.record({
      addrType: fc.constant<typeof TIPC_ADDR_NAME>(TIPC_ADDR_NAME),
      type: bits32,
      instance: bits32,
      domain: bits32,
      scope: fc.integer({ min: -128, max: 127 }),
    }),
  },
  {
    form: 'AF_TIPC socket',
    family: AF_TIPC,
    address: fc.record({
      addrType: fc.constant<typeof TIPC_ADDR_ID>(TIPC_ADDR_ID),
      ref: bits32,
      node: bits32,
      scope: fc.integer({ min: -128, max: 127 }),
    }),
  },
  {
    form: 'AF_ALG',
    family: AF_ALG,
    address: fc.record({ type: ascii(13), name: ascii(63), feat: bits32, mask: bits32 }),
  },
  { form: 'AF_QIPCRTR', family: AF_QIPCRTR, address: fc.record({ node: bits32, port: bits32 }) },
  {
    form: 'AF_BLUETOOTH L2CAP',
    family: AF_BLUETOOTH,
    proto: L2CAP,
    address: fc.record({ bdaddr, psm: bits16, cid: bits16, bdaddrType: bits8 }),
  },
  {
    form: 'AF_BLUETOOTH RFCOMM',
    family: AF_BLUETOOTH,
    proto: RFCOMM,
    address: fc.record({ bdaddr, channel: bits8 }),
  },
  {
    form: 'AF_BLUETOOTH HCI',
    family: AF_BLUETOOTH,
    proto: HCI,
    address: fc.record({ device: bits16, channel: bits16 }),
  },
  {
    form: 'AF_BLUETOOTH SCO',
    family: AF_BLUETOOTH,
    proto: SCO,
    address: fc.record({ bdaddr }),
  },
  {
    form: 'a family without a form',
    family: AF_X25,
    address: fc.record({
      family: fc.constant(AF_X25),
      data: fc.uint8Array({ maxLength: 126 }).map((bytes) => Buffer.from(bytes)),
    }),
  },
];

for (const { form, family, address, ...rest } of forms) {
  if ('proto' in rest && rest.proto === undefined) continue;
  const { proto = 0 } = rest;
  const context: AddressContext = { proto, interfaces };

  test(`decodeAddress() gives back what encodeAddress() took: ${form}`, () => {
    fc.assert(
      fc.property(address, (given) => {
        const bytes = encodeAddress(family, given, context);
        // A copy, since fast-check also gives objects without a prototype.
        assert.deepEqual(decodeAddress(bytes, bytes.length, context), { ...given });
      }),
    );
  });

  test(`encodeAddressInto() depends on nothing that the target held before: ${form}`, () => {
    fc.assert(
      fc.property(address, (given) => {
        const clean = Buffer.alloc(MAX_ADDRESS_LENGTH);
        const dirty = Buffer.alloc(MAX_ADDRESS_LENGTH, 0xff);
        const length = encodeAddressInto(family, proto, given, clean, interfaces);
        assert.equal(encodeAddressInto(family, proto, given, dirty, interfaces), length);
        assert.deepEqual(dirty.subarray(0, length), clean.subarray(0, length));
        assert.ok(dirty.subarray(length).every((byte) => byte === 0xff));
      }),
    );
  });

  // Any part of the other two is an address of its own.
  if (family === AF_UNIX || family === AF_X25) continue;

  test(`decodeAddress() refuses less than the kernel gives: ${form}`, () => {
    const [given = { path: '' }] = fc.sample(address, 1);
    const bytes = encodeAddress(family, given, context);
    assert.throws(() => decodeAddress(bytes, 1, context), RangeError);
    const least = leastLength(family, proto) ?? bytes.length;
    for (let length = 2; length < least; length += 1) {
      assert.throws(() => decodeAddress(bytes, length, context), { code: 'ERR_OUT_OF_RANGE' });
    }
  });
}

/** Where the kernel gives less than the whole struct. */
function leastLength(family: number, proto: number): number | undefined {
  if (family === AF_PACKET) return 12;
  if (family !== AF_CAN || proto === CAN_J1939) return undefined;
  return proto === CAN_ISOTP ? 16 : 8;
}

test('decodeAddress() gives null where the kernel gave no address', () => {
  assert.equal(decodeAddress(Buffer.alloc(MAX_ADDRESS_LENGTH), 0), null);
});

test('decodeAddress() refuses a length beyond the bytes', () => {
  assert.throws(() => decodeAddress(Buffer.alloc(16), 17), { code: 'ERR_OUT_OF_RANGE' });
});

test('decodeAddress() survives any bytes of any family', () => {
  const family = fc.constantFrom(...forms.map((form) => form.family), 0, 255, 0xffff);
  const bytes = fc.uint8Array({ minLength: MAX_ADDRESS_LENGTH, maxLength: MAX_ADDRESS_LENGTH });
  fc.assert(
    fc.property(family, bytes, fc.nat(8), (number, contents, proto) => {
      const header = encodeAddress(AF_UNSPEC, { family: number, data: new Uint8Array(0) });
      contents.set(header);
      for (const length of [2, 24, 32, 110, MAX_ADDRESS_LENGTH]) {
        try {
          decodeAddress(contents, length, { proto });
        } catch (error) {
          assert.ok(error instanceof RangeError);
        }
      }
    }),
  );
});

test("encodeAddress() takes '' for any host and '<broadcast>' for 255.255.255.255", () => {
  const any = encodeAddress(AF_INET, { host: '', port: 1 });
  assert.deepEqual(decodeAddress(any), { host: '0.0.0.0', port: 1 });
  const broadcast = encodeAddress(AF_INET, { host: '<broadcast>', port: 1 });
  assert.deepEqual(decodeAddress(broadcast), { host: '255.255.255.255', port: 1 });
  const any6 = encodeAddress(AF_INET6, { host: '', port: 1 });
  assert.deepEqual(decodeAddress(any6), { host: '::', port: 1, flowinfo: 0, scopeId: 0 });
});

function scopeOf(host: string, scopeId?: number): number {
  const address = { host, port: 1, ...(scopeId === undefined ? {} : { scopeId }) };
  const decoded = decodeAddress(encodeAddress(AF_INET6, address, { interfaces }));
  assert.ok(decoded !== null && 'scopeId' in decoded);
  assert.equal(decoded.host, 'fe80::1');
  return decoded.scopeId;
}

test('encodeAddress() turns the zone of an AF_INET6 host into the scopeId', () => {
  assert.equal(scopeOf('fe80::1%7'), 7);
  assert.equal(scopeOf('fe80::1%test9'), 9);
  assert.equal(scopeOf('fe80::1%test9', 4), 4);
  assert.throws(() => scopeOf('fe80::1%4294967296'), RangeError);
});

test('encodeAddress() asks for interface names and passes their errors through', () => {
  const gone = new Error('no such interface');
  const context: AddressContext = {
    interfaces: {
      ifNametoindex: () => {
        throw gone;
      },
      ifIndextoname: () => {
        throw gone;
      },
    },
  };
  assert.throws(() => encodeAddress(AF_PACKET, { interface: 'eth0' }, context), gone);
  const bytes = encodeAddress(AF_PACKET, { interface: 5 }, context);
  const decoded = decodeAddress(bytes, bytes.length, context);
  assert.ok(decoded !== null && 'interface' in decoded);
  assert.equal(decoded.interface, 5);
});

function unixRoundTrip(path: string | Uint8Array): { length: number; path: string | Uint8Array } {
  const bytes = encodeAddress(AF_UNIX, { path });
  const decoded = decodeAddress(bytes);
  assert.ok(decoded !== null && 'path' in decoded);
  return { length: bytes.length, path: decoded.path };
}

test('encodeAddress() keeps an AF_UNIX name as it is, up to its limits', () => {
  assert.deepEqual(unixRoundTrip(''), { length: 2, path: '' });
  assert.deepEqual(unixRoundTrip('a'.repeat(107)), { length: 110, path: 'a'.repeat(107) });
  assert.deepEqual(unixRoundTrip(`\0${'a'.repeat(107)}`), {
    length: 110,
    path: `\0${'a'.repeat(107)}`,
  });
  assert.deepEqual(unixRoundTrip('\0a\0b\0'), { length: 7, path: '\0a\0b\0' });
  const notUtf8 = Buffer.from([0, 0xff, 0xfe, 0]);
  assert.deepEqual(unixRoundTrip(notUtf8), { length: 6, path: notUtf8 });
  assert.deepEqual(unixRoundTrip(Buffer.from('é')), { length: 5, path: 'é' });
  for (const path of ['a'.repeat(108), 'é'.repeat(54), `\0${'a'.repeat(108)}`]) {
    assert.throws(() => unixRoundTrip(path), { name: 'SocketError', code: 'ENAMETOOLONG' });
  }
  for (const path of ['a\0b', '\ud800']) {
    assert.throws(() => unixRoundTrip(path), { code: 'ERR_OUT_OF_RANGE' }, JSON.stringify(path));
  }
});

test('decodeAddress() takes what the kernel reports for a path without room for its NUL', () => {
  const bytes = Buffer.alloc(MAX_ADDRESS_LENGTH, 'a');
  bytes.set(encodeAddress(AF_UNIX, { path: '' }));
  assert.deepEqual(decodeAddress(bytes, 110), { path: 'a'.repeat(108) });
  bytes[110] = 0;
  assert.deepEqual(decodeAddress(bytes, 111), { path: 'a'.repeat(108) });
});

test('encodeAddress() takes { family, data } for every family', () => {
  const bytes = encodeAddress(AF_INET, { family: AF_UNSPEC, data: Uint8Array.of(1, 2) });
  assert.deepEqual([...bytes], [0, 0, 1, 2]);
  assert.throws(
    () => encodeAddress(AF_INET, { family: AF_INET, data: new Uint8Array(127) }),
    RangeError,
  );
});

test('encodeAddressInto() refuses a target that some address would not fit', () => {
  const target = Buffer.alloc(MAX_ADDRESS_LENGTH - 1);
  assert.throws(() => encodeAddressInto(AF_INET, 0, { host: '', port: 0 }, target), {
    code: 'ERR_OUT_OF_RANGE',
  });
});

test('encodeAddress() says which field is wrong and what it expected', () => {
  assert.throws(() => encodeAddress(AF_INET, { host: '', port: 70000 }), {
    name: 'RangeError',
    message: 'Cannot use port: 70000 is not in 0…65535',
  });
  assert.throws(() => encodeAddress(AF_INET, { host: 'localhost', port: 1 }), {
    name: 'RangeError',
    message: "Cannot use host: 'localhost' is not a numeric IPv4 address",
  });
});

const outOfRange: [string, number, unknown, (number | undefined)?][] = [
  ['port', AF_INET, { host: '', port: -1 }],
  ['port', AF_INET, { host: '', port: 65536 }],
  ['host', AF_INET, { host: '::1', port: 1 }],
  ['host', AF_INET, { host: '1.2.3.4\0', port: 1 }],
  ['port', AF_INET6, { host: '', port: 65536 }],
  ['flowinfo', AF_INET6, { host: '', port: 1, flowinfo: 0x100000 }],
  ['scopeId', AF_INET6, { host: '', port: 1, scopeId: 2 ** 32 }],
  ['host', AF_INET6, { host: '1.2.3.4', port: 1 }],
  ['host', AF_INET6, { host: '<broadcast>', port: 1 }],
  ['host', AF_INET6, { host: 'fe80::1%an-interface-name', port: 1 }],
  ['interface', AF_PACKET, { interface: 2 ** 31 }],
  ['interface', AF_PACKET, { interface: -1 }],
  ['interface', AF_PACKET, { interface: 'sixteen-bytes-ab' }],
  ['interface', AF_PACKET, { interface: 'lo\0' }],
  ['protocol', AF_PACKET, { interface: '', protocol: 65536 }],
  ['pkttype', AF_PACKET, { interface: '', pkttype: 256 }],
  ['hatype', AF_PACKET, { interface: '', hatype: 65536 }],
  ['hwaddr', AF_PACKET, { interface: '', hwaddr: new Uint8Array(33) }],
  ['pid', AF_NETLINK, { pid: 2 ** 32, groups: 0 }],
  ['groups', AF_NETLINK, { pid: 0, groups: -1 }],
  ['cid', AF_VSOCK, { cid: -1, port: 0 }],
  ['port', AF_VSOCK, { cid: 0, port: 2 ** 32 }],
  ['rxId', AF_CAN, { interface: '', rxId: -1, txId: 0 }, CAN_ISOTP],
  ['txId', AF_CAN, { interface: '', rxId: 0, txId: 2 ** 32 }, CAN_ISOTP],
  ['name', AF_CAN, { interface: '', name: 2n ** 64n, pgn: 0, addr: 0 }, CAN_J1939],
  ['name', AF_CAN, { interface: '', name: -1n, pgn: 0, addr: 0 }, CAN_J1939],
  ['pgn', AF_CAN, { interface: '', name: 0n, pgn: -1, addr: 0 }, CAN_J1939],
  ['addr', AF_CAN, { interface: '', name: 0n, pgn: 0, addr: 256 }, CAN_J1939],
  ['addrType', AF_TIPC, { addrType: 9, type: 0, lower: 0, upper: 0 }],
  ['upper', AF_TIPC, { addrType: TIPC_ADDR_NAMESEQ, type: 0, lower: 0, upper: -1 }],
  ['domain', AF_TIPC, { addrType: TIPC_ADDR_NAME, type: 0, instance: 0, domain: 2 ** 32 }],
  ['node', AF_TIPC, { addrType: TIPC_ADDR_ID, ref: 0, node: -1 }],
  ['scope', AF_TIPC, { addrType: TIPC_ADDR_ID, ref: 0, node: 0, scope: 128 }],
  ['type', AF_ALG, { type: 'a'.repeat(14), name: 'sha256' }],
  ['type', AF_ALG, { type: 'hash\0', name: 'sha256' }],
  ['name', AF_ALG, { type: 'hash', name: 'a'.repeat(64) }],
  ['feat', AF_ALG, { type: 'hash', name: 'a', feat: -1 }],
  ['mask', AF_ALG, { type: 'hash', name: 'a', mask: 2 ** 32 }],
  ['node', AF_QIPCRTR, { node: -1, port: 0 }],
  ['port', AF_QIPCRTR, { node: 0, port: 2 ** 32 }],
  ['bdaddr', AF_BLUETOOTH, { bdaddr: '01:23:45:67:89', psm: 1 }, L2CAP],
  ['bdaddr', AF_BLUETOOTH, { bdaddr: '01:23:45:67:89:xy' }, SCO],
  ['psm', AF_BLUETOOTH, { bdaddr: '01:23:45:67:89:ab', psm: 65536 }, L2CAP],
  ['channel', AF_BLUETOOTH, { bdaddr: '01:23:45:67:89:ab', channel: 256 }, RFCOMM],
  ['device', AF_BLUETOOTH, { device: 65536 }, HCI],
  ['proto', AF_BLUETOOTH, { device: 0 }, 99],
  ['family', AF_INET, { family: 65536, data: new Uint8Array(0) }],
];

const wrongType: [string, number, unknown, (number | undefined)?][] = [
  ...[undefined, null, 1, '127.0.0.1', () => 1].map((value): [string, number, unknown] => [
    'address',
    AF_INET,
    value,
  ]),
  ['host', AF_INET, {}],
  ['host', AF_INET, { host: 1, port: 1 }],
  ['port', AF_INET, { host: '' }],
  ['port', AF_INET, { host: '', port: '80' }],
  ['port', AF_INET, { host: '', port: 80.5 }],
  ['port', AF_INET, { host: '', port: Number.NaN }],
  ['host', AF_INET6, { port: 1 }],
  ['flowinfo', AF_INET6, { host: '', port: 1, flowinfo: '1' }],
  ['path', AF_UNIX, {}],
  ['path', AF_UNIX, { path: 1 }],
  ['path', AF_UNIX, { path: [1] }],
  ['interface', AF_PACKET, {}],
  ['interface', AF_PACKET, { interface: 'eth0' }],
  ['interface', AF_PACKET, { interface: 1.5 }],
  ['hwaddr', AF_PACKET, { interface: '', hwaddr: '00:00' }],
  ['pid', AF_NETLINK, {}],
  ['cid', AF_VSOCK, { port: 1 }],
  ['rxId', AF_CAN, { interface: '' }, CAN_ISOTP],
  ['name', AF_CAN, { interface: '', name: 'x', pgn: 0, addr: 0 }, CAN_J1939],
  ['addrType', AF_TIPC, {}],
  ['type', AF_TIPC, { addrType: TIPC_ADDR_NAME }],
  ['name', AF_ALG, { type: 'hash' }],
  ['node', AF_QIPCRTR, {}],
  ['bdaddr', AF_BLUETOOTH, {}, SCO],
  ['address', AF_X25, {}],
  ['data', AF_X25, { family: AF_X25, data: 'x' }],
];

for (const [kind, table] of [
  ['RangeError', outOfRange],
  ['TypeError', wrongType],
] as const) {
  test(`encodeAddress() throws a ${kind} that names the field`, () => {
    for (const [field, family, address, proto = 0] of table) {
      assert.throws(
        () => Reflect.apply(encodeAddress, undefined, [family, address, { proto }]),
        { name: kind, message: new RegExp(`^Cannot use ${field}: `) },
        `${family} ${proto} ${field}`,
      );
    }
  });
}
