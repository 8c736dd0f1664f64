import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../command.test.util.ts';

test('sockets and explain refuse words that can match nothing, and say what is expected', async (t) => {
  for (const [args, message] of [
    [
      ['sockets', 'frob'],
      /frob is no filter; expected one of tcp, udp, .*state=NAME, or an address/,
    ],
    [['sockets', 'prot=1'], /prot= is no filter; expected one of tcp/],
    [['sockets', 'state=NOPE'], /state=NOPE: expected one of ESTABLISHED, .*LISTEN.*UNCONNECTED/],
    [['sockets', 'pid=x'], /pid=x: expected a process's number/],
    [['explain', 'udp://127.0.0.1:53'], /expected an end of a TCP connection/],
    [['explain', '127.0.0.1'], /expected an end of a TCP connection/],
    [['explain', 'localhost'], /127\.0\.0\.1:8090, \[::1\]:8090, example\.com:443 or :8090/],
    [['explain', ':80,'], /or both ends, local,peer/],
  ] as const) {
    const { status, stdout, stderr } = await run(t, [...args]);
    assert.deepEqual([status, stdout], [2, ''], stderr);
    assert.match(stderr, message);
    assert.match(stderr, /^sockeye: [^\n]+\n$/);
  }
});

test('explain takes an end with or without tcp://, of both families; sockets any state in any case', async (t) => {
  for (const address of [':1', '127.0.0.1:1', '[::1]:1', 'tcp://127.0.0.1:1', '127.0.0.1:1,:2']) {
    const { status, stderr } = await run(t, ['explain', address, '--for', '1ms']);
    assert.deepEqual([status, stderr], [1, `sockeye: no TCP connection with ${address}\n`]);
  }
  assert.equal((await run(t, ['sockets', 'tcp', 'state=time-wait', '[::1]:1'])).status, 0);
});

test('--help of explain and capture says each default once, as people write it', async (t) => {
  const explain = await run(t, ['explain', '--help']);
  assert.deepEqual(explain.stdout.match(/default: [^)]*/g), ['default: 1s']);
  const capture = await run(t, ['capture', '--help']);
  assert.match(
    capture.stdout.replaceAll(/\s+/g, ' '),
    /--buffer <size> memory for packets that wait \(default: 32M\)/,
  );
});
