import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { parseAddress } from '../address/parse-address.ts';
import { parseFrame } from '../frame/frame-codec.ts';
import { type BenchEmitFlags, benchText } from './bench-program.ts';
import { type Emitted, type EmitFlags, emittedText } from './emit.ts';
import { type OptionsProgramFlags, optionsProgram } from './options-program.ts';
import { pingText } from './ping-program.ts';
import { FRAMES, project } from './program.test.util.ts';

const require = createRequire(import.meta.url);
const TSC = require.resolve('typescript/bin/tsc');
const NODE_TYPES = dirname(require.resolve('@types/node/package.json'));

const ADDRESSES = [
  'example.com:80',
  '127.0.0.1:1',
  '[::1]:1',
  'udp://127.0.0.1:1',
  'unix:///tmp/s',
  'unix-dgram:///tmp/s',
  'unix-seqpacket:@s',
  'vsock://1:1',
];
const DATAGRAMS = /^(udp|unix-dgram):/;
const MODES = ['echo', 'send', 'receive'] as const;
const SERVED: readonly EmitFlags[] = [
  {},
  { greeting: 'Hi', reply: 're: ' },
  { hello: 'Hi' },
  { random: true },
  { discard: true },
];
const TLS = { cert: 'cert.pem', key: 'key.pem' };
const CA = { ca: 'cert.pem' };
const BENCH = { size: 64, connections: 2, duration: 1000, warmup: 100, timeout: 1000 };

type Program = readonly [name: string, text: string];

function say(
  command: Emitted['command'],
  address: string,
  flags: EmitFlags = {},
  to?: string,
): Program {
  const target = to === undefined ? {} : { target: parseAddress(to) };
  const text = emittedText({ command, endpoint: parseAddress(address), flags, ...target });
  return [`${command} ${address} ${to ?? ''} ${JSON.stringify(flags)}`, text];
}

function bench(address: string, flags: Partial<BenchEmitFlags & EmitFlags> = {}): Program {
  const endpoint = parseAddress(address);
  const text = benchText({ endpoint, flags: { ...BENCH, mode: 'echo', ...flags } });
  return [`bench ${address} ${JSON.stringify(flags)}`, text];
}

function options(address: string, flags: OptionsProgramFlags = {}): Program {
  const text = optionsProgram(parseAddress(address), flags, undefined);
  return [`options ${address} ${JSON.stringify(flags)}`, text];
}

/** Every form of program that there is. */
function programs(): Program[] {
  const datagrams = ADDRESSES.filter((address) => DATAGRAMS.test(address));
  const streams = ADDRESSES.filter((address) => !DATAGRAMS.test(address));
  const networks = { allow: ['10.0.0.0/8', '::1'], deny: ['10.1.0.0/16'] };
  const rate = 100;
  return [
    ...ADDRESSES.flatMap((address) => [
      say('connect', address),
      say('connect', address, { shutdown: false }),
      say('listen', address),
      say('listen', address, { keep: true }),
      ...SERVED.map((flags) => say('serve', address, flags)),
      options(address),
      options(address, { connect: true }),
      ...MODES.map((mode) => bench(address, { mode })),
      bench(address, { mode: 'echo', rate }),
      bench(address, { mode: 'send', rate }),
      bench(address, { serve: true }),
    ]),
    ...streams.flatMap((address) => [
      say('serve', address, { chat: true }),
      say('serve', address, { module: './handler.mjs' }),
      ...ADDRESSES.map((target) => say('forward', address, {}, target)),
      say('forward', address, { proxyProtocol: 2 }, '127.0.0.1:1'),
    ]),
    ...datagrams.flatMap((address) =>
      datagrams.map((target) => say('forward', address, {}, target)),
    ),
    say('connect', '127.0.0.1:1', {
      source: '127.0.0.2',
      option: [{ name: 'SO_RCVBUF', value: '65536' }],
      crlf: true,
    }),
    ...FRAMES.flatMap((name) => [
      say('connect', '127.0.0.1:1', { frame: parseFrame(name) }),
      say('connect', 'tls://127.0.0.1:1', { ...CA, frame: parseFrame(name) }),
      say('listen', '127.0.0.1:1', { frame: parseFrame(name), keep: true }),
    ]),
    say('connect', 'vsock://1:1', { source: ':2' }),
    say('connect', 'unix-dgram:///tmp/s', { source: '/tmp/own' }),
    say('serve', '127.0.0.1:1', networks),
    say('serve', 'udp://127.0.0.1:1', networks),
    say('forward', 'udp://127.0.0.1:1', networks, 'udp://127.0.0.1:2'),
    say('connect', 'tls://example.com:1', { ...TLS, ...CA, alpn: ['h2', 'http/1.1'], crlf: true }),
    say('listen', 'tls://127.0.0.1:1', { ...TLS, ...CA, keep: true }),
    say('serve', 'tls://127.0.0.1:1', { ...TLS, chat: true }),
    say('forward', 'tls://127.0.0.1:1', { ...TLS, ...CA }, 'tls://127.0.0.1:2'),
    say('forward', '127.0.0.1:1', { ...CA, proxyProtocol: 1 }, 'tls://127.0.0.1:2'),
    ...MODES.map((mode) => bench('tls://127.0.0.1:1', { mode, ...CA })),
    bench('tls://127.0.0.1:1', { rate, ...CA }),
    bench('tls://127.0.0.1:1', { serve: true, ...TLS }),
    ...([4, 6] as const).map((version): Program => {
      const host = version === 4 ? '127.0.0.1' : '::1';
      const flags = { interval: 1000, size: 56, timeout: 10_000, count: 3, ttl: 5, source: host };
      return [`ping ${host}`, pingText({ host, version, flags })];
    }),
  ];
}

test('what --emit prints is TypeScript that a strict compiler takes', (t) => {
  const directory = project(t);
  mkdirSync(join(directory, 'node_modules/@types'));
  symlinkSync(NODE_TYPES, join(directory, 'node_modules/@types/node'));
  const names = programs().map(([name, text], at) => {
    assert.match(text, /^\/\/ Save it as program\.mts; then: node program\.mts/m);
    writeFileSync(join(directory, `program-${at}.mts`), text);
    return name;
  });
  const compilerOptions = {
    target: 'es2024',
    module: 'nodenext',
    types: ['node'],
    strict: true,
    noUncheckedIndexedAccess: true,
    noUnusedLocals: true,
    erasableSyntaxOnly: true,
    isolatedModules: true,
    verbatimModuleSyntax: true,
    noEmit: true,
    skipLibCheck: true,
  };
  const include = ['*.mts'];
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, include }));
  const { status, stdout } = spawnSync(process.execPath, [TSC, '-p', directory], {
    encoding: 'utf8',
  });
  const told = stdout.replaceAll(/\S*program-(\d+)\.mts/g, (_, at) => `${names[at]} (${at})`);
  assert.equal(told, '');
  assert.equal(status, 0);
});
