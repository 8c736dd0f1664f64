import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { native, type TlsKey } from '@sockeye/native';
import { runNode } from '../testing/index.ts';

const binding = new URL('binding.d.ts', import.meta.resolve('@sockeye/native'));
const functions = native as unknown as Record<string, (...args: unknown[]) => unknown>;

/** The parameters of every function that binding.d.ts declares. */
function signatures(): Map<string, { name: string; type: string }[]> {
  const text = readFileSync(binding, 'utf8');
  const body = text.slice(text.indexOf('interface Native'));
  const found = new Map<string, { name: string; type: string }[]>();
  for (const [, name = '', list = ''] of body.matchAll(
    /^ {2}(\w+)\(((?:[^()]|\([^()]*\) => void)*)\):/gm,
  )) {
    const parameters = [...list.matchAll(/(\w+): ((?:\([^()]*\) => void|[^,])+)/g)];
    found.set(
      name,
      parameters.map(([, parameter = '', type = '']) => ({ name: parameter, type: type.trim() })),
    );
  }
  return found;
}

function detached(): Uint8Array {
  const view = new Uint8Array(8);
  structuredClone(view.buffer, { transfer: [view.buffer] });
  return view;
}

/** A value of the type that the function takes, and that does nothing. */
function harmless(name: string, type: string): unknown {
  if (type === 'number') return ['fd', 'out', 'file', 'family'].includes(name) ? -1 : 0;
  if (type === 'boolean') return false;
  if (type.startsWith('string')) return '127.0.0.1';
  if (type.startsWith('Uint8Array[]')) return [new Uint8Array(8)];
  if (type.startsWith('Uint8Array')) return new Uint8Array(8);
  if (type === 'Int32Array') return new Int32Array(1024);
  if (type === 'ArrayBuffer[]') return [];
  if (type === 'TlsKey') return tlsKey(name === 'sealingKey');
  return () => undefined;
}

function tlsKey(seals: boolean): TlsKey {
  const [key, iv] = [new Uint8Array(16), new Uint8Array(12)];
  return native.createTlsKey('TLS_AES_128_GCM_SHA256', key, iv, seals) as TlsKey;
}

const NOTHING = [undefined, {}, Symbol.iterator, 1n];
const WRONG: Record<string, unknown[]> = {
  number: [...NOTHING, null, '1', [], Number.NaN, 1.5, Number.POSITIVE_INFINITY, 2 ** 53],
  boolean: [...NOTHING, null, 0, 'true'],
  string: [...NOTHING, null, 5, []],
  'string | null': [...NOTHING, 5, []],
  Uint8Array: [
    ...NOTHING,
    null,
    5,
    'bytes',
    [],
    new ArrayBuffer(8),
    new Uint16Array(4),
    new DataView(new ArrayBuffer(8)),
    new Uint8Array(new SharedArrayBuffer(8)),
  ],
  'Uint8Array | null': [...NOTHING, 5, 'bytes', new Uint8Array(new SharedArrayBuffer(8))],
  'Uint8Array[]': [
    ...NOTHING,
    null,
    5,
    new Uint8Array(8),
    [5],
    [null],
    Object.assign([], { length: 2 ** 32 - 1 }),
  ],
  Int32Array: [...NOTHING, null, 5, [], new Uint8Array(8)],
  'ArrayBuffer[]': [...NOTHING, null, 5, new ArrayBuffer(8)],
  TlsKey: [...NOTHING, null, 5, {}, [], new ArrayBuffer(8), new Uint8Array(8)],
  PacketRing: [...NOTHING, null, 5, {}, [], new ArrayBuffer(8), new Uint8Array(8)],
  function: [...NOTHING, null, 5, 'f'],
};

test('binding.d.ts declares what the addon exports', () => {
  assert.deepEqual([...signatures().keys()].toSorted(), Object.keys(functions).toSorted());
});

test('every native function refuses a missing argument', () => {
  for (const [name, parameters] of signatures()) {
    for (let given = 0; given < parameters.length; given++) {
      const some = parameters.slice(0, given).map((each) => harmless(each.name, each.type));
      assert.throws(() => functions[name]?.(...some), TypeError, `${name} with ${given} arguments`);
    }
  }
});

test('every native function refuses every wrong argument, each with the others right', () => {
  let refused = 0;
  for (const [name, parameters] of signatures()) {
    parameters.forEach(({ type }, at) => {
      const kind = type.includes('=>') ? 'function' : type;
      const wrong = WRONG[kind];
      assert.ok(wrong !== undefined, `${name}: no wrong values for ${kind}`);
      for (const value of wrong) {
        const args: unknown[] = parameters.map((each) => harmless(each.name, each.type));
        args[at] = value;
        assert.throws(
          () => functions[name]?.(...args),
          (error) => error instanceof TypeError || error instanceof RangeError,
          `${name}, argument ${at} = ${inspect(value)}`,
        );
        refused++;
      }
    });
  }
  assert.ok(refused > 1_000, `${refused}`);
});

test('offsets, lengths and counts outside of their buffer are a RangeError, also of a detached one', () => {
  const bytes = new Uint8Array(8);
  const words = new Int32Array(1024);
  const opening = tlsKey(false);
  const sealing = tlsKey(true);
  const calls: (() => unknown)[] = [
    () => native.recv(-1, bytes, 0, 9, 0),
    () => native.recv(-1, bytes, 9, 0, 0),
    () => native.openTlsRecords(opening, bytes, 0, 9, bytes, 0, 8, words),
    () => native.openTlsRecords(opening, bytes, 0, 8, bytes, 1, 8, words),
    () => native.sealTlsRecords(sealing, 23, bytes, 0, 8, new Uint8Array(8 + 21), 0),
    () => native.sealTlsRecords(sealing, 23, bytes, 0, 8, new Uint8Array(8 + 22), 1),
    () => native.sealTlsRecords(sealing, 256, bytes, 0, 8, new Uint8Array(100), 0),
    () => native.createTlsKey('TLS_AES_128_GCM_SHA256', bytes, bytes, true),
    () => native.recv(-1, bytes, 0xffffffff, 0xffffffff, 0),
    () => native.recv(-1, detached(), 0, 1, 0),
    () => native.recvfrom(-1, bytes, 4, 5, 0, bytes),
    () => native.send(-1, bytes, 1, 8, 0),
    () => native.sendto(-1, bytes, 0, 8, 0, bytes, 9),
    () => native.bind(-1, bytes, 9),
    () => native.connect(-1, bytes, 9),
    () => native.recvmmsg(-1, bytes, 9, 1, 0, new Uint8Array(132), words, true),
    () => native.recvmmsg(-1, bytes, 0xffffffff, 64, 0, new Uint8Array(132 * 64), words, true),
    () => native.sendBatch(Int32Array.of(-1, 0, 9, 0), 1, bytes),
    () => native.sendBatch(Int32Array.of(-1, -1, 1, 0), 1, bytes),
    () => native.sendDatagrams(-1, Int32Array.of(0, 9, 0, 0, 0), 1, bytes, false),
    () => native.sendDatagrams(-1, Int32Array.of(0, 8, 1, 8, 0), 1, bytes, false),
    () => native.sendDatagrams(-1, Int32Array.of(0, 8, -1, 2, 0), 1, bytes, false),
    () => native.sendmmsg(-1, bytes, Int32Array.of(0, 9, 0, 0, 0, 0), 1, 0, new Uint8Array(132)),
    () => native.sendmmsg(-1, bytes, Int32Array.of(0, 8, 0, 133, 0, 0), 1, 0, new Uint8Array(132)),
    () => native.sendmmsg(-1, bytes, Int32Array.of(0, 8, 0, 0, 0, 0), 1, 0, bytes),
    () => native.setsockopt(-1, 0, 0, bytes, 9),
    () => native.sendfile(-1, -1, 0, -1),
    () => native.gethostbyaddrSync(bytes, 2),
    () => native.pollerGrow(0xffff, 1),
  ];
  for (const call of calls) assert.throws(call, RangeError, String(call));
  assert.throws(() => native.sendBatch(words, 257, bytes), TypeError);
});

test('a getter among the buffers cannot take the others away under the kernel', () => {
  const first = new Uint8Array(1 << 20);
  const buffers = [first];
  Object.defineProperty(buffers, 1, {
    get() {
      structuredClone(first.buffer, { transfer: [first.buffer] });
      return new Uint8Array(1);
    },
  });
  const pair = new Int32Array(2);
  assert.equal(native.socketpair(1, 1, 0, pair), 0);
  const [left = -1, right = -1] = pair;
  // The first is empty by the time that its pointer is taken.
  assert.equal(native.sendmsg(left, buffers, 0, null, 0, null, 0), 1);
  native.close(left);
  native.close(right);
});

test('any mixture of arguments is an exception or a result, never an abort', async () => {
  const { code, signal, stderr } = await runNode(
    `
    import { native } from ${JSON.stringify(import.meta.resolve('@sockeye/native'))};
    const gone = new Uint8Array(8);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    const shrunk = new ArrayBuffer(64, { maxByteLength: 64 });
    const tracking = new Uint8Array(shrunk);
    const cut = new Uint8Array(shrunk, 8, 32);
    shrunk.resize(4);
    const values = [undefined, null, true, false, '', '127.0.0.1', 1n, Symbol(), {}, [], () => {}, () => { throw new Error(); },
      -1, 0, 1, 3, 8, 16, 64, 255, 1000000, 2 ** 31 - 1, 2 ** 32 - 1, -(2 ** 31), 1.5, NaN, Infinity, 2 ** 53,
      gone, tracking, cut, new Uint8Array(0), new Uint8Array(8), new Uint8Array(9000), new Uint8Array(new SharedArrayBuffer(8)),
      new Int32Array(2), new Int32Array(400), new ArrayBuffer(8), [new Uint8Array(8), gone], [new Uint8Array(8), {}], new Proxy([], {})];
    let seed = 42;
    const random = (below) => { seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff; return (seed >> 8) % below; };
    // The others close the runtime's own descriptors, change files, rename the machine, wait, ask a
    // name server, or fill the memory with pollers.
    const names = ['socket', 'socketpair', 'disown', 'dup', 'setNonblocking', 'getNonblocking', 'setCloexec', 'getCloexec',
      'bind', 'connect', 'listen', 'accept4', 'shutdown', 'getsockname', 'getpeername', 'getsockopt', 'setsockopt',
      'attachFilter', 'pollMany', 'recv', 'recvfrom', 'send', 'sendto', 'sendBatch', 'sendfile', 'lseek', 'recvmsg',
      'sendmsg', 'recvmmsg', 'sendmmsg', 'sendDatagrams', 'getservbyname', 'getservbyport', 'getprotobyname', 'gethostname',
      'ifNametoindex', 'ifIndextoname', 'pollerGrow', 'pollerWatch', 'pollerRewatch', 'pollerUnwatch', 'pollerRef', 'pollerFlush'];
    native.pollerStart(() => {}, () => {}, []);
    for (let i = 0; i < 100000; i++) {
      const args = Array.from({ length: random(8) }, () => values[random(values.length)]);
      try { native[names[random(names.length)]](...args); } catch (error) {
        if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
      }
    }
    process.exit(7);
  `,
    { timeoutMs: 30_000 },
  );
  assert.equal(signal, null, stderr);
  assert.equal(code, 7, stderr);
});
