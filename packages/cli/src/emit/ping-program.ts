import type { OptionSetting } from '../channel/socket-settings.ts';
import { shellWord } from './shell-word.ts';
import { literal, optionLines, withImports } from './source-text.ts';

/** A `ping` to be told in other words. */
export interface EmittedPing {
  /** As it was typed. */
  readonly host: string;
  readonly version: 4 | 6;
  readonly flags: {
    readonly count?: number | undefined;
    /** Milliseconds. */
    readonly interval: number;
    readonly size: number;
    readonly ttl?: number | undefined;
    /** Milliseconds. */
    readonly timeout: number;
    readonly source?: string | undefined;
    readonly option?: readonly OptionSetting[] | undefined;
    readonly quiet?: boolean | undefined;
    readonly json?: boolean | undefined;
  };
}

/** `ping`: iputils' line, and the program below it. */
export function pingText(emitted: EmittedPing): string {
  const line = pingLine(emitted);
  const { flags } = emitted;
  const missing = (['quiet', 'json'] as const).filter((name) => flags[name]);
  const note =
    missing.length === 0 ? '' : `// Left out: ${missing.map((name) => `--${name}`).join(', ')}\n`;
  return `${line === undefined ? '' : `// ${line}\n`}${note}${pingProgram(emitted)}`;
}

/** The same with ping of iputils; undefined where it can't. */
export function pingLine({ host, version, flags }: EmittedPing): string | undefined {
  const { count, interval, size, ttl, timeout, source, option = [], quiet } = flags;
  if (option.length > 0) return undefined;
  return [
    'ping',
    `-${version}`,
    ...(count === undefined ? [] : ['-c', count]),
    ...(interval === 1000 ? [] : ['-i', interval / 1000]),
    ...(size === 56 ? [] : ['-s', size]),
    ...(ttl === undefined ? [] : ['-t', ttl]),
    // 10 s there too.
    ...(timeout === 10_000 || !Number.isFinite(timeout) ? [] : ['-W', timeout / 1000]),
    ...(source === undefined ? [] : ['-I', source]),
    ...(quiet ? ['-q'] : []),
    host,
  ]
    .map((word) => shellWord(String(word)))
    .join(' ');
}

function pingProgram({ host, version, flags }: EmittedPing): string {
  const { count, interval, size, ttl, timeout, source } = flags;
  const [family, protocol] =
    version === 4 ? ['AF_INET', 'IPPROTO_ICMP'] : ['AF_INET6', 'IPPROTO_ICMPV6'];
  const [request, reply] = version === 4 ? [8, 0] : [128, 129];
  const hops = version === 4 ? 'IP_TTL' : 'IPV6_UNICAST_HOPS';
  const payload =
    version === 4 ? 'isRaw ? data.subarray(((data[0] ?? 0) & 15) * 4) : data' : 'data';
  const most = count ?? 'Infinity';
  const lastly = Number.isFinite(timeout)
    ? `await Promise.race([receiving, pause(${timeout})]);\n`
    : 'await receiving;\n';
  return withImports(`// A group in net.ipv4.ping_group_range may have the first, CAP_NET_RAW the second.
function open() {
  try {
    return new Socket(${family}, SOCK_DGRAM, ${protocol});
  } catch {
    return new Socket(${family}, SOCK_RAW, ${protocol});
  }
}

const socket = open();
const isRaw = socket.type === SOCK_RAW;
const identifier = process.pid & 0xffff;
${ttl === undefined ? '' : `socket.options.set('${hops}', ${ttl});\n`}${optionLines('socket', flags)}${source === undefined ? '' : `socket.bind({ host: ${literal(source)}, port: 0 });\n`}await socket.connect({ host: ${literal(host)}, port: 0 });
const sentAt = new Map<number, number>();
let transmitted = 0;
let received = 0;

function echoRequest(sequence: number) {
  const message = Buffer.alloc(${8 + size});
  message.writeUInt8(${request}, 0);
  message.writeUInt16BE(identifier, 4);
  message.writeUInt16BE(sequence, 6);
  let sum = 0;
  for (let at = 0; at < message.length; at += 2) sum += ((message[at] ?? 0) << 8) | (message[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  message.writeUInt16BE(~sum & 0xffff, 2);
  return message;
}

async function receive() {
  while (received < ${most}) {
    const data = await socket.recv(65536);
    const message = ${payload};
    // A raw socket hears what others are told, too, and on loopback its own requests.
    if (message[0] !== ${reply} || (isRaw && message.readUInt16BE(4) !== identifier)) continue;
    received++;
    const sequence = message.readUInt16BE(6);
    const ms = performance.now() - (sentAt.get(sequence) ?? NaN);
    console.log(\`\${message.length} bytes: seq=\${sequence} time=\${ms.toFixed(3)} ms\`);
  }
}

function end() {
  console.log(\`\${transmitted} requests, \${received} replies\`);
  process.exit(received > 0 ? 0 : 1);
}

process.once('SIGINT', end);
const receiving = receive();
for (let sequence = 1; sequence <= ${most}; sequence++) {
  if (sequence > 1) await pause(${interval});
  sentAt.set(sequence & 0xffff, performance.now());
  await socket.send(echoRequest(sequence & 0xffff));
  transmitted++;
}
${lastly}end();
`);
}
