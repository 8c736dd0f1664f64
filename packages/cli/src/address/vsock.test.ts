import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AF_VSOCK, SOCK_STREAM, Socket } from '@sockeye/net';
import { run } from '../command.test.util.ts';

/** Why there is no vsock at all; false if there is. */
function withoutVsock(): string | false {
  try {
    new Socket(AF_VSOCK, SOCK_STREAM).close();
    return false;
  } catch (error) {
    return `the kernel has no vsock: ${String(error)}`;
  }
}

const skip = withoutVsock();

// No machine is 0x7fffffff here, whether there is a loopback or not.
for (const [args, status, message] of [
  [
    ['serve', 'vsock://2147483647:9000'],
    1,
    'cannot listen on vsock://2147483647:9000: cannot assign requested address (EADDRNOTAVAIL); the cid is not of this machine; vsock://:port listens whatever it is',
  ],
  [
    ['connect', 'vsock://1:9000', '--source', '2147483647:9001'],
    1,
    'cannot use --source 2147483647:9001: cannot assign requested address (EADDRNOTAVAIL); the cid is not of this machine',
  ],
  [
    ['connect', 'vsock://1:9000', '--source', '127.0.0.1'],
    2,
    'cannot read --source "127.0.0.1"; expected cid:port or :port, two numbers',
  ],
  [
    ['connect', 'vsock://:9000'],
    2,
    'cannot connect to vsock://:9000: it has no cid; expected vsock://cid:port',
  ],
] as const) {
  test(`sockeye ${args.join(' ')} says what is wrong`, { skip }, async (t) => {
    const outcome = await run(t, args);
    assert.deepEqual(
      [outcome.status, outcome.stdout, outcome.stderr],
      [status, '', `sockeye: ${message}\n`],
    );
  });
}
