import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { decodeCut, encodeAll } from './check-codec.test.util.ts';
import type { Codec } from './codec.ts';
import { jsonLines } from './json-lines.ts';
import { lengthPrefix } from './length-prefix.ts';
import { lines } from './lines.ts';
import { netstring } from './netstring.ts';

const TEXTS = ['', 'hello', 'é中😀', 'x'.repeat(300), '"quoted"\t'];

// Each line of this is what the other side of the wire does in Python, with its own library.
const PYTHON = `
import json, struct, sys
texts = json.loads(sys.argv[1])
def prefixed(form):
    def encode(text):
        data = text.encode()
        return struct.pack(form, len(data)) + data
    def decode(stream):
        while stream:
            size = struct.calcsize(form)
            (length,) = struct.unpack(form, stream[:size])
            yield stream[size:size + length].decode()
            stream = stream[size + length:]
    return encode, decode
def netstring_decode(stream):
    while stream:
        length, rest = stream.split(b':', 1)
        assert rest[int(length):int(length) + 1] == b','
        yield rest[:int(length)].decode()
        stream = rest[int(length) + 1:]
codecs = {
    '2 big': prefixed('>H'), '2 little': prefixed('<H'), '4 big': prefixed('!I'),
    '4 little': prefixed('<I'), '8 big': prefixed('>Q'), '8 little': prefixed('<Q'),
    'netstring': (lambda text: b'%d:%s,' % (len(text.encode()), text.encode()), netstring_decode),
    'lines': (lambda text: text.encode() + b'\\n', lambda stream: stream.decode().split('\\n')[:-1]),
    'utf16': (lambda text: (text + '\\n').encode('utf-16-le'),
              lambda stream: stream.decode('utf-16-le').split('\\n')[:-1]),
    'jsonLines': (lambda text: json.dumps(text).encode() + b'\\n',
                  lambda stream: [json.loads(line) for line in stream.splitlines()]),
}
encode, decode = codecs[sys.argv[2]]
assert list(decode(sys.stdin.buffer.read())) == texts
sys.stdout.buffer.write(b''.join(encode(text) for text in texts))
`;

const asBytes = (text: string) => Buffer.from(text);
const peers: [name: string, codec: Codec<unknown>, messages: (string | Buffer)[]][] = [
  ...(['big', 'little'] as const).flatMap((endian) =>
    ([2, 4, 8] as const).map((bytes): [string, Codec<unknown>, Buffer[]] => [
      `${bytes} ${endian}`,
      lengthPrefix({ bytes, endian }),
      TEXTS.map(asBytes),
    ]),
  ),
  ['netstring', netstring(), TEXTS.map(asBytes)],
  ['lines', lines(), TEXTS],
  ['utf16', lines({ encoding: 'utf16le' }), TEXTS],
  ['jsonLines', jsonLines(), TEXTS],
];

for (const [name, codec, messages] of peers) {
  test(`Python reads the frames of ${name}, and ${name} reads Python's`, () => {
    const input = encodeAll(codec, messages);
    const run = spawnSync('python3', ['-c', PYTHON, JSON.stringify(TEXTS), name], { input });
    assert.equal(run.status, 0, String(run.stderr ?? run.error));
    const { messages: received } = decodeCut(codec.decoder(), run.stdout, [1, 7, 20]);
    const expected = messages.map((message) =>
      typeof message === 'string' ? message : message.toString('latin1'),
    );
    assert.deepEqual(received, expected);
  });
}
