import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { AF_INET, AF_INET6, AF_UNIX } from '../constants/index.ts';
import { SocketError } from '../errors/index.ts';
import { inetAton, inetNtoa, inetNtop, inetPton } from './inet.ts';

const hasPython = spawnSync('python3', ['--version']).status === 0;
const withPython = { skip: hasPython ? false : 'python3 is not installed' };

/** Python's answers, as the C library gives them: hexadecimal bytes, or null where it raises. */
function pythonAnswers(expression: string, texts: string[]): (string | null)[] {
  const program = `
import json, socket, sys
def answer(text):
    try: return ${expression}
    except (OSError, ValueError): return None
json.dump([answer(text) for text in json.load(sys.stdin)], sys.stdout)`;
  const { stdout, stderr, status } = spawnSync('python3', ['-c', program], {
    input: JSON.stringify(texts),
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  const list: unknown = JSON.parse(stdout);
  assert.ok(Array.isArray(list));
  return list.map((answer) => (typeof answer === 'string' ? answer : null));
}

/** Our answers in the same form. */
function answers(texts: string[], compute: (text: string) => Buffer | string): (string | null)[] {
  return texts.map((text) => {
    try {
      const answer = compute(text);
      return typeof answer === 'string' ? answer : answer.toString('hex');
    } catch (error) {
      assert.ok(error instanceof SocketError, String(error));
      return null;
    }
  });
}

function assertSameAnswers(texts: string[], ours: (string | null)[], theirs: (string | null)[]) {
  texts.forEach((text, i) => assert.equal(ours[i], theirs[i], JSON.stringify(text)));
}

/** What lies around the edges of the grammars. NUL can't be asked: Python's C API refuses it first. */
const hostileTexts = [
  '| |.|...|1|1.2|1.2.3|1.2.3.4|1.2.3.4.|.1.2.3|1..2.3|1.2.3.4.5|01.2.3.4|1.2.3.04|00.0.0.0|0.0.0.0',
  '256.1.1.1|1.2.3.256|1.2.3.1000|255.255.255.255|4294967295|4294967296|1.16777215|1.16777216',
  '1.2.65535|1.2.65536|0x7f.1|0X7F.1|0x|0x.1|0x7g|0177.1|08|09.1|0.08|1.0x|127.1 |127.1 x|127.1\n',
  '127.1x| 127.1|+1|-1|1.-2|1e3|1.2.3.4\t!|127.1\u00a0|\u0661.2.3.4|1.2.3.\uff14',
  '99999999999999999999|0xffffffffffffffffff|::|:::|:|::1|1::|1:|:1|1:::2|::1::|1::2::3',
  '::ffff:1.2.3.4|::1.2.3.4|1:2:3:4:5:6:7:8|1:2:3:4:5:6:7::|::2:3:4:5:6:7:8|1:2:3:4:5:6:7:8::',
  '::1:2:3:4:5:6:7:8|1:2:3:4:5:6:7:8:9|1:2:3:4:5:6:7|1:2:3:4:5:6:1.2.3.4|1:2:3:4:5:6:7:1.2.3.4',
  '1:2:3:4:5:1.2.3.4|::1.2.3|::1.2.3.4.5|::01.2.3.4|::1.2.3.256|1.2.3.4::|::1.2.3.4:5|12345::|::12345',
  '::0001|::00001|g::|FE80::ABCD|fe80::1%lo|fe80::1%1|[::1]|::1/64|::1 | ::1|::0x1|::-1|1:2:3:4:5:6:7:',
  ':1:2:3:4:5:6:7|::.1.2.3|::1.|::a.1.2.3|::1a.1.2.3',
].flatMap((line) => line.split('|'));

const pieces = fc.constantFrom(...'0|1|9|12|255|256|0x|f|ff|abcd|ABCDE|.|.|:|:|::| |%'.split('|'));
const randomText = fc.oneof(
  fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
  fc.array(fc.nat(300), { minLength: 1, maxLength: 5 }).map((parts) => parts.join('.')),
  fc
    .array(fc.nat(0x1ffff), { minLength: 4, maxLength: 9 })
    .map((groups) => groups.map((group) => (group < 0x8000 ? '' : group.toString(16))).join(':')),
  fc.ipV4(),
  fc.ipV6(),
  fc.ipV4Extended(),
  fc.string({ maxLength: 12 }).map((text) => text.replaceAll('\0', '')),
);

function manyTexts(): string[] {
  return [...hostileTexts, ...fc.sample(randomText, 2000)];
}

for (const [name, family] of [
  ['AF_INET', AF_INET],
  ['AF_INET6', AF_INET6],
] as const) {
  test(`inetPton(${name}) accepts and refuses what the C library does`, withPython, () => {
    const texts = manyTexts();
    const theirs = pythonAnswers(`socket.inet_pton(socket.${name}, text).hex()`, texts);
    assertSameAnswers(
      texts,
      answers(texts, (text) => inetPton(family, text)),
      theirs,
    );
    assert.ok(theirs.filter((answer) => answer !== null).length > 100, 'too few valid texts');
  });

  test(`inetNtop(${name}) prints what the C library does`, withPython, () => {
    const length = family === AF_INET ? 4 : 16;
    // Mostly zeros and ones of all widths, so that runs of zero groups of each length come up.
    const byte = fc.oneof(fc.constant(0), fc.constant(0), fc.constant(255), fc.nat(255));
    const bytes = fc.sample(fc.uint8Array({ minLength: length, maxLength: length }), 500);
    const sparse = fc.sample(fc.array(byte, { minLength: length, maxLength: length }), 2000);
    const texts = [...bytes, ...sparse].map((each) => Buffer.from(each).toString('hex'));
    const theirs = pythonAnswers(`socket.inet_ntop(socket.${name}, bytes.fromhex(text))`, texts);
    const ours = answers(texts, (text) => inetNtop(family, Buffer.from(text, 'hex')));
    assertSameAnswers(texts, ours, theirs);
  });

  test(`inetPton(${name}) reads back what inetNtop prints`, () => {
    const length = family === AF_INET ? 4 : 16;
    fc.assert(
      fc.property(fc.uint8Array({ minLength: length, maxLength: length }), (bytes) => {
        assert.deepEqual([...inetPton(family, inetNtop(family, bytes))], [...bytes]);
      }),
    );
  });
}

test('inetAton accepts and refuses what the C library does', withPython, () => {
  const texts = manyTexts();
  const theirs = pythonAnswers('socket.inet_aton(text).hex()', texts);
  assertSameAnswers(texts, answers(texts, inetAton), theirs);
});

test('inetNtoa prints what inetNtop(AF_INET) prints', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), (bytes) => {
      assert.equal(inetNtoa(bytes), inetNtop(AF_INET, bytes));
    }),
  );
});

test('inetPton and inetAton name the text that is no address', () => {
  assert.throws(() => inetPton(AF_INET, '1.2.3'), {
    name: 'SocketError',
    code: 'EINVAL',
    syscall: 'inet_pton',
    message: /"1\.2\.3" is no IPv4 address/,
  });
  assert.throws(() => inetPton(AF_INET6, '1\0'), { code: 'EINVAL', syscall: 'inet_pton' });
  assert.throws(() => inetAton('x'), { code: 'EINVAL', syscall: 'inet_aton' });
});

test('inetPton and inetNtop refuse a family without addresses of that kind', () => {
  assert.throws(() => inetPton(AF_UNIX, '1.2.3.4'), { code: 'EAFNOSUPPORT', syscall: 'inet_pton' });
  assert.throws(() => inetNtop(AF_UNIX, new Uint8Array(4)), {
    code: 'EAFNOSUPPORT',
    syscall: 'inet_ntop',
  });
});

test('inetNtop and inetNtoa refuse a wrong number of bytes', () => {
  for (const length of [0, 3, 5, 16]) {
    assert.throws(() => inetNtop(AF_INET, new Uint8Array(length)), RangeError);
    assert.throws(() => inetNtoa(new Uint8Array(length)), RangeError);
  }
  for (const length of [0, 4, 15, 17]) {
    assert.throws(() => inetNtop(AF_INET6, new Uint8Array(length)), RangeError);
  }
});

test('inetPton, inetNtop, inetAton and inetNtoa refuse arguments of the wrong type', () => {
  const wrong = { code: 'ERR_INVALID_ARG_TYPE', name: 'TypeError' };
  for (const value of [undefined, null, 1, {}, []]) {
    assert.throws(() => Reflect.apply(inetPton, undefined, [AF_INET, value]), wrong);
    assert.throws(() => Reflect.apply(inetAton, undefined, [value]), wrong);
    assert.throws(() => Reflect.apply(inetNtop, undefined, [AF_INET, value]), wrong);
    assert.throws(() => Reflect.apply(inetNtoa, undefined, [value]), wrong);
  }
  for (const family of [undefined, null, '2', 2.5]) {
    assert.throws(() => Reflect.apply(inetPton, undefined, [family, '1.2.3.4']), wrong);
    assert.throws(() => Reflect.apply(inetNtop, undefined, [family, new Uint8Array(4)]), wrong);
  }
});
