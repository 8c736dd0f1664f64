import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { listSockets, type ListedSocket, socketStates } from '@sockeye/net/capture';
import { CommandError, usageError } from '../command-error.ts';
import { parseDuration } from '../duration.ts';
import { EXIT } from '../exit-code.ts';
import { reasonOf } from '../explain-error.ts';
import type { ProgramHooks } from '../program-hooks.ts';
import { LineOutput } from './line-output.ts';
import { socketObject } from './socket-object.ts';
import { socketTable } from './socket-table.ts';

const EXAMPLES = `
Examples:
  sockeye sockets                      all sockets, with process, rtt, window
  sockeye sockets tcp port=8090        what has to do with a port
  sockeye sockets tcp state=LISTEN     who listens
  sockeye sockets --watch 1s tcp       again and again
  sockeye sockets --json               for a program

Words narrow it down, all of them: a family or type (tcp, udp, raw, unix, packet, netlink, inet,
inet6, stream, dgram, seqpacket), port=N, pid=N, process=NAME, state=NAME, or an address or part of
one, with a '.', ':', '/' or '@'. Processes of others show only to root.`;

const KINDS: ReadonlySet<string> = new Set([
  'tcp',
  'udp',
  'raw',
  'unix',
  'packet',
  'netlink',
  'inet',
  'inet6',
  'stream',
  'dgram',
  'seqpacket',
]);

const EXPECTED = `expected one of ${[...KINDS].join(', ')}, port=N, pid=N, process=NAME, state=NAME, or an address or part of one, with a '.', ':', '/' or '@' in it`;

interface Flags {
  readonly json?: boolean;
  readonly watch?: number | true;
}

const DEFAULT_WATCH_MS = 1000;
const CLEAR = '\u001b[H\u001b[2J';

/** Adds `sockeye sockets`. */
export function addSocketsCommand(program: Command, hooks: ProgramHooks): void {
  program
    .command('sockets')
    .summary("the machine's sockets with state, process, rtt and window")
    .description("Lists this network namespace's sockets, as ss(8) does.")
    .argument('[word...]', 'what they have to match')
    .option('--json', 'print JSON objects, one a line')
    .option('--watch [time]', 'print them again after this time: 1s (default)', parseWatch)
    .addHelpText('after', EXAMPLES)
    .action(async (words: string[], flags: Flags) => hooks.finish(await sockets(words, flags)));
}

function parseWatch(text: string): number {
  const ms = parseDuration(text);
  if (ms >= 100 && Number.isFinite(ms)) return ms;
  throw new InvalidArgumentError('Expected at least 100ms.');
}

async function sockets(words: readonly string[], flags: Flags): Promise<number> {
  const tests = words.map(testOf);
  const output = new LineOutput();
  const stop = new AbortController();
  const { watch } = flags;
  if (watch !== undefined) process.once('SIGINT', () => stop.abort());
  do {
    const found = (await list()).filter((socket) => tests.every((test) => test(socket)));
    if (flags.json) for (const socket of found) output.object(socketObject(socket));
    else {
      const isTerminal = watch !== undefined && process.stdout.isTTY;
      output.line(`${isTerminal ? CLEAR : ''}${socketTable(found)}`);
    }
    await output.flush();
    if (found.length === 0 && words.length > 0 && watch === undefined) {
      process.stderr.write(`no socket matches ${words.join(' ')}\n`);
    }
    if (watch === undefined) return EXIT.ok;
    const ms = watch === true ? DEFAULT_WATCH_MS : watch;
    await sleep(ms, undefined, { signal: stop.signal }).catch(() => undefined);
  } while (!stop.signal.aborted);
  return EXIT.interrupted;
}

async function list(): Promise<ListedSocket[]> {
  try {
    return await listSockets();
  } catch (error) {
    throw new CommandError(`cannot list sockets: ${reasonOf(error)}`, undefined, { cause: error });
  }
}

function testOf(word: string): (socket: ListedSocket) => boolean {
  if (KINDS.has(word)) return ({ family, type }) => family === word || type === word;
  const [, key, value = ''] = /^(\w+)=(.*)$/.exec(word) ?? [];
  switch (key) {
    case undefined:
      if (!/[.:/@*[]/.test(word)) throw usageError(`${word} is no filter; ${EXPECTED}`);
      return ({ local, peer }) => local.includes(word) || peer.includes(word);
    case 'port':
      if (!/^\d{1,5}$/.test(value)) throw usageError(`port=${value}: expected a port's number`);
      return ({ family, local, peer }) =>
        family.startsWith('inet') && [local, peer].some((text) => text.endsWith(`:${value}`));
    case 'pid':
      if (!/^\d{1,10}$/.test(value)) throw usageError(`pid=${value}: expected a process's number`);
      return ({ owners }) => owners.some(({ pid }) => String(pid) === value);
    case 'process':
      return ({ owners }) => owners.some(({ process }) => process === value);
    case 'state':
      if (!socketStates.includes(value.toUpperCase())) {
        throw usageError(`state=${value}: expected one of ${socketStates.join(', ')}`);
      }
      return ({ state }) => state === value.toUpperCase();
    default:
      throw usageError(`${key}= is no filter; ${EXPECTED}`);
  }
}
