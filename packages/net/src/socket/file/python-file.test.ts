// Python's own makefile as the oracle: random bytes, modes and calls, the same results.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { socketpair } from '../socketpair.ts';
import type { Newline } from './newline.ts';
import type { TextErrors } from './text-errors.ts';

const ORACLE = String.raw`
import json, socket, sys
for line in sys.stdin:
    case = json.loads(line)
    left, right = socket.socketpair()
    right.sendall(bytes.fromhex(case["data"]))
    right.close()
    results = []
    if case["text"]:
        f = left.makefile("r", case["buffering"], encoding=case["encoding"],
                          errors=case["errors"], newline=case["newline"])
    else:
        f = left.makefile("rb", case["buffering"])
    for name, size in case["calls"]:
        try:
            result = getattr(f, name)(size)
        except UnicodeDecodeError:
            results.append("undecodable")
            break
        results.append(result if case["text"] else result.hex())
    f.close()
    left.close()
    print(json.dumps(results), flush=True)
`;

interface Case {
  data: string;
  text: boolean;
  buffering: number;
  encoding: string;
  errors: TextErrors;
  newline: Newline;
  calls: ['read' | 'readline', number][];
}

// A linear congruential generator (Numerical Recipes), so that a failure can be repeated.
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const PIECES = ['a', 'line', '\n', '\r', '\r\n', 'é', '→', '😀', '\ufffd', ' ', '\ufeff'];
const INVALID = [
  [0xff],
  [0xc3],
  [0xe2, 0x86],
  [0xf0, 0x9f, 0x98],
  [0xed, 0xa0, 0x80],
  [0xc0, 0x80],
];
const ENCODINGS = [
  'utf-8',
  'utf-8',
  'latin1',
  'ascii',
  'utf-16-le',
  'utf-16-be',
  'koi8-r',
  'cp1252',
];

function randomCase(random: (below: number) => number): Case {
  const pick = <Item>(items: readonly Item[]): Item => items[random(items.length)] as Item;
  const text = random(4) > 0;
  const encoding = pick(ENCODINGS);
  const wide = encoding.startsWith('utf-16');
  const parts = Array.from({ length: random(60) }, () => {
    const piece = Buffer.from(pick(PIECES), wide ? 'utf16le' : 'utf8');
    if (encoding === 'utf-16-be') piece.swap16();
    return !wide && random(25) === 0 ? Buffer.from(pick(INVALID)) : piece;
  });
  const size = (): number => pick([-1, 0, 1, 2, 3, 5, 8, 100]);
  return {
    data: Buffer.concat(parts).toString('hex'),
    text,
    buffering: pick(text ? [-1, 1, 2, 3, 7] : [-1, 0, 1, 2, 3, 7]),
    encoding,
    errors: pick(['strict', 'ignore', 'replace'] as const),
    newline: pick([null, '', '\n', '\r', '\r\n'] as const),
    calls: Array.from({ length: 1 + random(12) }, () => [
      pick(['read', 'readline'] as const),
      // The end of the stream closes each case.
      random(12) === 0 ? -1 : Math.abs(size()),
    ]),
  };
}

async function results(input: Case, sync: boolean): Promise<string[]> {
  const [left, right] = socketpair();
  right.sendallSync(Buffer.from(input.data, 'hex'));
  right.close();
  const { buffering } = input;
  const file = input.text
    ? left.makefile('r', { ...input, encoding: input.encoding.replace('cp', 'windows-') })
    : left.makefile('rb', { buffering });
  const all: string[] = [];
  try {
    for (const [name, size] of input.calls) {
      const result = sync ? file[`${name}Sync`](size) : await file[name](size);
      assert.ok(result !== null);
      all.push(typeof result === 'string' ? result : result.toString('hex'));
    }
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'ERR_ENCODING_INVALID_ENCODED_DATA');
    all.push('undecodable');
  } finally {
    file.closeSync();
    left.close();
  }
  return all;
}

/** Python fails for a whole chunk where it has an invalid byte; we give the text before first. */
function agree(ours: string[], theirs: string[]): void {
  if (theirs.at(-1) !== 'undecodable') assert.deepEqual(ours, theirs);
  else assert.deepEqual(ours.slice(0, theirs.length - 1), theirs.slice(0, -1));
}

const python = spawnSync('python3', ['-c', 'import socket; socket.socketpair']).status === 0;

test('makefile() reads what Python reads, for 600 random streams, modes and calls', {
  skip: python ? false : 'python3 is not installed',
}, async () => {
  const oracle = spawn('python3', ['-c', ORACLE], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: oracle.stdout })[Symbol.asyncIterator]();
  const random = generator(2026);
  try {
    for (let i = 0; i < 600; i++) {
      const input = randomCase(random);
      oracle.stdin.write(`${JSON.stringify(input)}\n`);
      const theirs = JSON.parse((await answers.next()).value as string) as string[];
      try {
        agree(await results(input, i % 2 === 0), theirs);
      } catch (error) {
        throw new Error(`case ${i}: ${JSON.stringify(input)}`, { cause: error });
      }
    }
  } finally {
    oracle.stdin.end();
  }
});
