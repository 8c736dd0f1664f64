// Lists which names of Python's socket module @sockeye/net has; exits 1 if one is missing without a
// reason in parity/reasons.txt. --list prints each name with its counterpart.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const scripts = dirname(fileURLToPath(import.meta.url));
const library = join(dirname(scripts), 'packages/net/dist/index.js');

/** Counterparts whose names the rule below doesn't give. */
const renamed = new Map([
  ['SocketIO', 'SocketFile'],
  ['SocketType', 'Socket'],
  ['error', 'SocketError'],
  ['fromfd', 'fromFd'],
  ['gaierror', 'AddressInfoError'],
  ['get_inheritable', 'getinheritable'],
  ['herror', 'HostError'],
  ['set_inheritable', 'setinheritable'],
  ['timeout', 'TimeoutError'],
]);

/** A name in capitals stays; an underscore turns camelCase: inet_pton → inetPton. */
function counterpart(name) {
  if (/^[A-Z]/.test(name)) return renamed.get(name) ?? name;
  return renamed.get(name) ?? name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());
}

/** Section title → names. */
function readNames() {
  const sections = new Map();
  let names;
  for (const line of readFileSync(join(scripts, 'parity/python-names.txt'), 'utf8').split('\n')) {
    if (line.startsWith('[')) {
      names = [];
      sections.set(line.slice(1, -1), names);
    } else if (!line.startsWith('#')) names?.push(...line.split(' ').filter(Boolean));
  }
  return sections;
}

function readReasons() {
  const lines = readFileSync(join(scripts, 'parity/reasons.txt'), 'utf8').split('\n');
  const entries = lines.map((line) => /^([\w.]+): (.+)$/.exec(line)).filter(Boolean);
  return new Map(entries.map(([, name, reason]) => [name, reason]));
}

/** What the Python of this machine has, with methods as `socket.NAME`; undefined without one. */
function runningPython() {
  const program = `
import json, socket
public = lambda owner: [name for name in dir(owner) if not name.startswith('_')]
print(json.dumps(public(socket) + ['socket.' + name for name in public(socket.socket)]))`;
  const { status, stdout } = spawnSync('python3', ['-c', program], { encoding: 'utf8' });
  return status === 0 ? JSON.parse(stdout) : undefined;
}

/** Every listed name as { name, wanted: 'export' or 'Socket.member', covered }. */
function compare(sections, exported, socket) {
  const rows = [];
  for (const [title, names] of sections) {
    const suffix = title.includes('Sync twin') ? 'Sync' : '';
    for (const name of names) {
      const wanted = `${counterpart(name)}${suffix}`;
      rows.push(
        title.startsWith('methods')
          ? { name: `socket.${name}`, wanted: `Socket.${wanted}`, covered: wanted in socket }
          : { name, wanted, covered: wanted in exported },
      );
    }
  }
  return rows;
}

/** Prints a heading with its lines, if there are any; tells whether there were. */
function complain(heading, lines) {
  if (lines.length > 0) process.stdout.write(`${heading}:\n  ${lines.join('\n  ')}\n`);
  return lines.length > 0;
}

async function main() {
  if (!existsSync(library)) {
    process.stderr.write(
      'sockeye: cannot check parity: the library is not built; run npm run build\n',
    );
    return 1;
  }
  const exported = await import(pathToFileURL(library).href);
  const socket = new exported.Socket();
  const rows = compare(readNames(), exported, socket);
  socket.close();
  const reasons = readReasons();
  const listed = new Set(rows.map(({ name }) => name));
  const missing = rows.filter(({ name, covered }) => !covered && !reasons.has(name));
  const covered = rows.filter((row) => row.covered);
  if (process.argv.includes('--list')) {
    for (const { name, wanted } of covered) process.stdout.write(`${name} → ${wanted}\n`);
  }
  const python = runningPython() ?? [];
  const failures = [
    complain(
      'missing',
      missing.map(({ name, wanted }) => `${name} → ${wanted}`),
    ),
    complain(
      'unlisted names of this Python',
      python.filter((name) => !listed.has(name)),
    ),
    complain(
      'reasons for names that are covered',
      covered.map(({ name }) => name).filter((name) => reasons.has(name)),
    ),
    complain(
      'reasons for names that nobody lists',
      [...reasons.keys()].filter((name) => !listed.has(name)),
    ),
  ];
  const left = rows.length - covered.length - missing.length;
  process.stdout.write(
    `${covered.length} of ${rows.length} names covered, ${left} left out for a reason, ${missing.length} missing` +
      `${python.length > 0 ? '' : '; no Python here to check the list against'}\n`,
  );
  return failures.includes(true) ? 1 : 0;
}

process.exitCode = await main();
