import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { COMMAND, Running, run } from './command.test.util.ts';

const START = fileURLToPath(new URL('../../../scripts/start.mjs', import.meta.url));

/** `npm start` has fixed ports, which this machine may use for something else. */
async function portsInUse(): Promise<string | false> {
  const tcp = createServer().listen(8090, '127.0.0.1');
  const udp = createSocket('udp4').bind(8091, '127.0.0.1');
  const inUse = await Promise.allSettled([once(tcp, 'listening'), once(udp, 'listening')]);
  tcp.close();
  // A socket left open would keep the test running.
  if (inUse[1].status === 'fulfilled') udp.close();
  return inUse.some(({ status }) => status === 'rejected') && 'port 8090 or 8091 is in use';
}

const skip = await portsInUse();

/** What `npm start` runs, on what is built already. */
async function startServer(t: TestContext): Promise<Running> {
  const server = new Running(t, process.execPath, [START], { SOCKEYE_SKIP_BUILD: '1' });
  await server.until(({ stderr }) => stderr.includes('Ctrl-C ends it.'));
  return server;
}

/** The commands that it says to type, each on a line of its own. */
function commands(server: Running, program: string): string[] {
  const lines = server.stderr.split('\n').map((line) => line.trim());
  return lines.filter((line) => line.startsWith(`${program} `));
}

test('npm start greets and echoes on TCP 8090 and UDP 8091, and ends with 0 on SIGTERM with idle clients', {
  skip,
}, async (t) => {
  const server = await startServer(t);
  assert.match(server.stderr, /^listening on tcp:\/\/127\.0\.0\.1:8090\n/);
  assert.match(server.stderr, /^listening on udp:\/\/127\.0\.0\.1:8091\n/m);
  const outputs = await Promise.all(
    commands(server, 'python3').map((line) => new Running(t, 'sh', ['-c', line]).exit()),
  );
  assert.equal(outputs.length, 2);
  assert.ok(outputs.every(({ status, stdout }) => status === 0 && stdout.endsWith('你好\n')));
  assert.match(outputs[0]?.stdout ?? '', /^Hello from Sockeye!.*\n/);

  const connects = commands(server, 'npx').map((line) => line.split(' ').slice(2));
  assert.equal(connects.length, 2);
  for (const args of connects) {
    const { status, stdout } = await run(t, args, '再见');
    assert.equal(status, 0);
    assert.match(stdout, /再见$/);
  }

  const idle = new Running(t, process.execPath, [COMMAND, 'connect', '127.0.0.1:8090']);
  await idle.until(({ stdout }) => stdout.includes('Hello'));
  server.child.kill('SIGTERM');
  assert.equal((await server.exit()).status, 0);
});

test('npm start with its port in use says who holds it, in one line, and exits 1', {
  skip,
}, async (t) => {
  const first = await startServer(t);
  const second = new Running(t, process.execPath, [START], { SOCKEYE_SKIP_BUILD: '1' });
  const { status, stderr } = await second.exit();
  assert.equal(status, 1);
  assert.match(stderr, /^sockeye: cannot listen on tcp:\/\/127\.0\.0\.1:8090: [^\n]+\n$/);
  assert.match(stderr, new RegExp(`pid ${first.child.pid}\\b`));
  first.child.kill('SIGTERM');
  assert.equal((await first.exit()).status, 0);
});
