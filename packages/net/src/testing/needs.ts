import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** What a test may need of the machine: a command in PATH, or one of these. */
const probes: Record<string, () => Promise<string | undefined>> = {
  linux: () => Promise.resolve(process.platform === 'linux' ? undefined : 'this is not Linux'),
  root: () => Promise.resolve(process.getuid?.() === 0 ? undefined : 'not running as root'),
  async ipv6() {
    const socket = createSocket('udp6');
    try {
      socket.bind(0, '::1');
      await once(socket, 'listening');
      return undefined;
    } catch {
      return 'the machine has no IPv6 loopback';
    } finally {
      socket.close();
    }
  },
  namespaces() {
    const status = spawnSync('unshare', ['-n', 'ip', 'link'], { stdio: 'ignore' }).status;
    return Promise.resolve(status === 0 ? undefined : 'unshare -n and ip do not work here');
  },
  strace() {
    const status = spawnSync('strace', ['-o', '/dev/null', 'true']).status;
    return Promise.resolve(status === 0 ? undefined : 'strace is missing or may not trace');
  },
};

function command(name: string): string | undefined {
  // Not `--version`, which BSD's nc doesn't know.
  const found = spawnSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' });
  return found.status === 0 ? undefined : `${name} is not installed`;
}

/**
 * Options for `test` that skip it, with the reason, where the machine lacks something.
 *
 * @example
 * test('recv() takes what Python sends', await needs('python3'), async () => { … });
 */
export async function needs(...names: string[]): Promise<{ skip: string | false }> {
  for (const name of names) {
    const probe = probes[name];
    const missing = probe === undefined ? command(name) : await probe();
    if (missing !== undefined) return { skip: missing };
  }
  return { skip: false };
}
