import { MAX_UDP_BYTES, SOURCE_LEASE_MS, WARM_UP_MARK } from '../bench/bench-protocol.ts';
import type { EmittedBench } from './bench-program.ts';
import { addressText, kindOf, literal, optionLines, tellLine } from './source-text.ts';

/** `bench --serve` on datagrams. */
export function benchDatagramSide({ endpoint, flags }: EmittedBench): string {
  const [family, type] = kindOf(endpoint, 'server');
  return `const socket = new Socket(${family}, ${type});
${optionLines('socket', flags)}socket.bind(${addressText(endpoint, 'server')});
${tellLine('socket.getsockname()')}
type Peer = ReturnType<typeof socket.getsockname>;

interface Client {
  datagrams: number;
  bytes: number;
  // Until when it wants datagrams of ours.
  until: number;
}

const secret = randomBytes(32);
const clients = new Map<string, Client>();

// Whoever can say this gets what is sent to its address: others may have forged it.
function cookieOf(name: string) {
  return createHmac('sha256', secret).update(name).digest('hex').slice(0, 16);
}

function remember(name: string) {
  const client = clients.get(name) ?? { datagrams: 0, bytes: 0, until: 0 };
  clients.delete(name);
  clients.set(name, client);
  const [oldest] = clients.keys();
  if (clients.size > 1024 && oldest !== undefined) clients.delete(oldest);
  return client;
}

async function source(client: Client, address: Peer, size: number) {
  const messages = Array.from({ length: 32 }, () => ({ data: Buffer.alloc(size, 'bench'), address }));
  for (let number = 0; performance.now() < client.until; await turn()) {
    messages.forEach(({ data }, at) => data.writeDoubleBE(number + at));
    // Who doesn't read loses them.
    number += await socket.sendmmsg(messages, MSG_DONTWAIT).catch(() => 0);
  }
}

function answer(data: Buffer, address: Peer) {
  const name = JSON.stringify(address);
  const [, kind, size, cookie] = REQUEST.exec(data.length > 64 ? '' : data.toString('latin1')) ?? [];
  if (kind === 'hello') {
    clients.delete(name);
    return Buffer.from(\`sockeye-bench cookie \${cookieOf(name)}\`);
  }
  if (kind !== undefined && cookie !== cookieOf(name)) return undefined;
  if (kind === 'discard') {
    remember(name);
    return Buffer.from('sockeye-bench ready');
  }
  if (kind === 'report') {
    const { datagrams, bytes } = remember(name);
    return Buffer.from(\`sockeye-bench received \${datagrams} \${bytes}\`);
  }
  if (kind === 'source') {
    if (Number(size) < 8 || Number(size) > ${MAX_UDP_BYTES}) return undefined;
    const client = remember(name);
    const isNew = client.until < performance.now();
    client.until = performance.now() + ${SOURCE_LEASE_MS};
    if (isNew) source(client, address, Number(size)).finally(() => clients.delete(name));
    return undefined;
  }
  const client = clients.get(name);
  if (client === undefined) return data;
  if (data.subarray(0, ${WARM_UP_MARK.length}).toString('latin1') === ${literal(WARM_UP_MARK)}) return undefined;
  client.datagrams++;
  client.bytes += data.length;
  return undefined;
}

const REQUEST = /^sockeye-bench (hello|discard|report|source)(?: (\\d{1,8}))?(?: ([0-9a-f]{16}))?$/;
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(0));
for (;;) {
  const received = await socket.recvmmsg(64, ${MAX_UDP_BYTES});
  // Without a name it can't be answered.
  const answers = received.flatMap(({ data, address }) => {
    const text = address === null ? undefined : answer(data, address);
    return address === null || text === undefined ? [] : { data: text, address };
  });
  for (let done = 0; done < answers.length; ) {
    done += Math.max(1, await socket.sendmmsg(answers.slice(done), MSG_DONTWAIT).catch(() => 1));
  }
}
`;
}
