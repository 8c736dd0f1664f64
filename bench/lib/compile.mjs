// Compiles what a run needs into bench/.build, again whenever a source is newer.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { benchDirectory, buildDirectory, peersDirectory } from './paths.mjs';

const compiler = process.env.CC ?? 'gcc';

function sources(directory, pattern) {
  return readdirSync(directory)
    .filter((name) => pattern.test(name))
    .map((name) => join(directory, name));
}

function isCurrent(output, inputs) {
  if (!existsSync(output)) return false;
  const built = statSync(output).mtimeMs;
  return inputs.every((input) => statSync(input).mtimeMs < built);
}

function build(output, inputs, command, args, options = {}) {
  if (isCurrent(output, inputs)) return output;
  mkdirSync(dirname(output), { recursive: true });
  execFileSync(command, args, { stdio: 'inherit', ...options });
  return output;
}

function compile(output, files, headers) {
  const args = ['-O2', '-Wall', '-Wextra', '-o', output, ...files, '-pthread'];
  return build(output, [...files, ...headers], compiler, args);
}

/** The load generator; its path. */
export function compileLoad() {
  const directory = join(benchDirectory, 'load');
  const files = sources(directory, /\.c$/);
  return compile(join(buildDirectory, 'load'), files, sources(directory, /\.h$/));
}

/** The wire with a delay; its path. */
export function compileDelayWire() {
  return compile(
    join(buildDirectory, 'delay-wire'),
    [join(benchDirectory, 'lib/delay-wire.c')],
    [],
  );
}

/** What keeps free memory backed; its path. */
export function compileKeepMemory() {
  const source = join(benchDirectory, 'lib/keep-memory.c');
  return compile(join(buildDirectory, 'keep-memory'), [source], []);
}

/** The C peer of a role; its path. */
export function compileCPeer(role) {
  const directory = join(peersDirectory, 'c');
  const shared = role.startsWith('udp-') ? ['datagrams.c', 'control.c'] : ['server.c', 'control.c'];
  const files = [`${role}.c`, ...shared].map((name) => join(directory, name));
  return compile(join(buildDirectory, 'c', role), files, sources(directory, /\.h$/));
}

/** The sender of small packets for the campaign of the capture; its path. */
export function compilePacketFlood() {
  const source = join(benchDirectory, 'campaigns', 'packet-flood.c');
  return compile(join(buildDirectory, 'packet-flood'), [source], []);
}

/** The Go peer, one program for all roles; its path. */
export function compileGoPeer() {
  const directory = join(peersDirectory, 'go');
  const output = join(buildDirectory, 'go', 'peer');
  const inputs = sources(directory, /\.(go|mod)$/);
  return build(output, inputs, 'go', ['build', '-o', output, '.'], { cwd: directory });
}
