// Who is measured. `find` gives the version, or throws with the reason why the
// peer is not here; `command` gives the server's command line for a role, or
// undefined where the peer has no such role. `spreads`: how several CPUs can serve
// one port, as --processes N or --threads N; Node's worker threads can't, since
// node:net has no SO_REUSEPORT in Node 20, and Go has only threads.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { compileCPeer, compileGoPeer } from './compile.mjs';
import { benchDirectory, peersDirectory } from './paths.mjs';

const require = createRequire(import.meta.url);

function versionOf(command, args, advice) {
  try {
    const text = execFileSync(command, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return text.split('\n')[0].trim();
  } catch {
    throw new Error(`${command} does not run here; ${advice}`);
  }
}

/** A program of bench/node_modules, or one on the PATH. */
function program(name, path) {
  const local = join(benchDirectory, 'node_modules', path);
  return existsSync(local) ? local : name;
}

// The binaries themselves: a wrapper in between would be one process more to account for.
const bun = program('bun', 'bun/bin/bun.exe');
const deno = program('deno', 'deno/deno');

function script(folder, role, extension) {
  const path = join(peersDirectory, folder, `${role}.${extension}`);
  return existsSync(path) ? path : undefined;
}

function scripted(folder, extension, ...command) {
  return (role) => {
    const path = script(folder, role, extension);
    return path === undefined ? undefined : [...command, path];
  };
}

function only(roles, command) {
  return (role) => (roles.includes(role) ? command(role) : undefined);
}

const allRoles = [
  'tcp-echo',
  'tcp-framed',
  'tcp-sink',
  'tcp-source',
  'udp-echo',
  'udp-sink',
  'udp-source',
  'file-send',
  'file-receive',
];

const node = [process.execPath];

function findSockeye() {
  try {
    return `@sockeye/net ${require('@sockeye/net/package.json').version}`;
  } catch {
    throw new Error('@sockeye/net is not there; run npm ci in the repository first');
  }
}

function sockeye(id, folder, label) {
  return {
    id,
    label,
    spreads: ['processes', 'threads'],
    find: findSockeye,
    command: scripted(`sockeye/${folder}`, 'js', ...node),
  };
}

const npmAdvice = 'run npm ci in bench/';

/** In the order in which they take turns. */
export const peers = [
  {
    id: 'c',
    label: 'C epoll',
    spreads: ['processes', 'threads'],
    find: () => versionOf(process.env.CC ?? 'gcc', ['--version'], 'on Debian: apt-get install gcc'),
    command: (role) => (script('c', role, 'c') === undefined ? undefined : [compileCPeer(role)]),
  },
  {
    id: 'node',
    label: 'Node net/dgram',
    spreads: ['processes'],
    find: () => process.version,
    command: scripted('node', 'js', ...node),
  },
  {
    id: 'node-cork',
    label: 'Node, corked by hand',
    find: () => process.version,
    command: only(['tcp-framed'], (role) => [...node, script('node', role, 'js'), '--cork']),
  },
  sockeye('sockeye', 'socket', 'Sockeye for await'),
  sockeye('sockeye-into', 'socket-into', 'Sockeye recvInto'),
  sockeye('sockeye-serve', 'serve', 'Sockeye serve'),
  sockeye('sockeye-framed', 'framed', 'Sockeye framed'),
  sockeye('sockeye-framed-batches', 'framed-batches', 'Sockeye framed, batches()'),
  {
    id: 'bun',
    label: 'Bun',
    find: () => `bun ${versionOf(bun, ['--version'], npmAdvice)}`,
    command: scripted('bun', 'js', bun),
  },
  {
    id: 'deno',
    label: 'Deno',
    find: () => versionOf(deno, ['--version'], npmAdvice),
    command: scripted(
      'deno',
      'js',
      deno,
      'run',
      '--allow-all',
      '--no-config',
      '--unstable-net',
      '--v8-flags=--expose-gc',
    ),
  },
  {
    id: 'go',
    label: 'Go net',
    spreads: ['threads'],
    find: () => versionOf('go', ['version'], 'on Debian: apt-get install golang-go'),
    command: only(allRoles, (role) => [compileGoPeer(), role]),
  },
  {
    id: 'python',
    label: 'Python asyncio',
    find: () => versionOf('python3', ['--version'], 'on Debian: apt-get install python3'),
    command: scripted('python/asyncio_peer', 'py', 'python3'),
  },
  {
    id: 'python-threads',
    label: 'Python threads',
    find: () => versionOf('python3', ['--version'], 'on Debian: apt-get install python3'),
    command: scripted('python/threads_peer', 'py', 'python3'),
  },
];

function matches(peer, word) {
  return peer.id === word || peer.id.startsWith(`${word}-`);
}

/** The peers of a comma-separated list (`sockeye` is all its forms); all without one. */
export function selectPeers(list) {
  if (list === undefined) return peers;
  const words = list.split(',');
  const unknown = words.find((word) => !peers.some((peer) => matches(peer, word)));
  if (unknown !== undefined) {
    throw new Error(`Unknown peer ${unknown}; there are: ${peers.map(({ id }) => id).join(' ')}`);
  }
  return peers.filter((peer) => words.some((word) => matches(peer, word)));
}
