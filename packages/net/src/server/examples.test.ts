// The programs of examples/servers, each with its client in Python.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { needs, TemporaryDirectory } from '../testing/index.ts';

const EXAMPLES = fileURLToPath(new URL('../../../../examples/', import.meta.url));

/** Runs a server, then its client against it; returns what the client prints. */
async function run(name: string, serverArgs: string[], clientArgs: string[] = []): Promise<string> {
  const server = spawn(process.execPath, [`${EXAMPLES}dist/servers/${name}.js`, ...serverArgs], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(server, 'exit');
  try {
    const [line] = (await once(createInterface({ input: server.stdout }), 'line')) as [string];
    const where = line.replace(/^listening on (127\.0\.0\.1:)?/, '');
    const told = await python(name, [where, ...clientArgs]);
    server.kill('SIGTERM');
    assert.deepEqual(await exited, [0, null]);
    return told;
  } finally {
    server.kill('SIGKILL');
  }
}

async function python(name: string, args: string[]): Promise<string> {
  const script = `${EXAMPLES}servers/python/${name.replace('-', '_')}.py`;
  const env = { ...process.env, PYTHONIOENCODING: 'utf-8' };
  const client = spawn('python3', [script, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 30_000,
  });
  let told = '';
  client.stdout.setEncoding('utf8').on('data', (text: string) => (told += text));
  assert.deepEqual(await once(client, 'close'), [0, null]);
  return told;
}

const expected: [string, string][] = [
  ['hello', 'True\n'],
  ['echo', 'welcome; quit ends\nyou said: first\nyou said: 你好\n'],
  ['chat', 'Ann is here\nBob is here\nBob is here\nBob: 你好\nBob has gone\n'],
  ['random-numbers', 'True\nTrue\nTrue\n'],
  ['time-server', 'True\n'],
  ['request-reply', "{'sum': 3} {'sum': 0} {'sum': 499500}\n{'sum': -0.5}\n"],
  ['udp', 'HELLO\nGRÜSSE\n\n'],
  ['threads', '[(0, 0), (3, 1), (100, 25), (1000000, 78498), (2000000, 148933)]\n'],
];

for (const [name, told] of expected) {
  test(
    `examples/servers/${name} answers its client in Python`,
    await needs('python3'),
    async () => {
      assert.equal(await run(name, []), told);
    },
  );
}

test('examples/servers/unix answers its client in Python', await needs('python3'), async () => {
  using directory = new TemporaryDirectory();
  assert.equal(await run('unix', [directory.file('words')]), '1\n3\n0\n');
});

test(
  'examples/servers/tls answers its client in Python',
  await needs('python3', 'openssl'),
  async () => {
    using directory = new TemporaryDirectory();
    const [cert, key] = [directory.file('cert.pem'), directory.file('key.pem')];
    const flags = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj';
    const names = ['/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    execFileSync('openssl', [...flags.split(' '), ...names, '-keyout', key, '-out', cert], {
      stdio: 'ignore',
    });
    assert.equal(await run('tls', [cert, key], [cert]), 'TLSv1.3\nsecret 你好\n');
  },
);
