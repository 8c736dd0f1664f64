import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startPython } from './command.test.util.ts';
import { portHolder } from './port-holder-linux.ts';

const PROGRAM = `
kind = socket.SOCK_DGRAM if sys.argv[1] == 'udp' else socket.SOCK_STREAM
family = socket.AF_INET6 if sys.argv[2] == '6' else socket.AF_INET
s = socket.socket(family, kind); s.bind(('::1' if sys.argv[2] == '6' else '127.0.0.1', 0))
if kind == socket.SOCK_STREAM: s.listen()
print(s.getsockname()[1]); sys.stdin.read()`;

for (const transport of ['tcp', 'udp'] as const) {
  for (const version of [4, 6]) {
    test(`portHolder() names the process that has a ${transport} port over IPv${version}`, async (t) => {
      const holder = startPython(t, PROGRAM, transport, version);
      const port = await holder.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]);
      const found = portHolder(transport, Number(port));
      assert.equal(found?.pid, holder.child.pid);
      assert.match(found?.name ?? '', /^python/);
    });
  }
}

test('portHolder() is undefined for a port that nobody has', () => {
  assert.equal(portHolder('tcp', 1), undefined);
});
