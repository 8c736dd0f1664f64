import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { test } from 'node:test';
import { ConversationTracker } from './conversations/conversation-tracker.ts';
import { TcpConversation } from './conversations/tcp-conversation.ts';
import { createDissector } from './dissect.ts';
import type { PacketItem } from './files/capture-item.ts';
import { CaptureReader } from './files/capture-reader.ts';
import type { Sample } from './samples.test.util.ts';
import { compareSamples, tsharkOracleMissing } from './tshark-oracle.test.util.ts';

/** tcpdump on the loopback interface, or the reason why it can't run. */
async function startCapture(filter: string): Promise<ChildProcess | string> {
  if (spawnSync('tcpdump', ['--version'], { stdio: 'ignore' }).status !== 0) {
    return 'tcpdump is not installed';
  }
  const args = ['-i', 'lo', '-U', '--immediate-mode', '-w', '-', filter];
  const child = spawn('tcpdump', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  // Read to its end: tcpdump dies of SIGPIPE when nobody listens to what it says.
  let said = '';
  child.stderr.setEncoding('utf8');
  return await new Promise((resolve) => {
    child.stderr.on('data', (text: string) => {
      said += text;
      if (said.includes('snapshot length')) resolve(child);
    });
    child.stderr.on('end', () => resolve(`tcpdump may not capture: ${said.trim()}`));
  });
}

/** A server that answers each piece and ends with its client. */
async function listen(): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => {
    socket.on('data', (piece) => socket.write(`echo: ${piece.toString()}`));
    socket.on('end', () => socket.end());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return { server, port: address.port };
}

async function converse(port: number): Promise<void> {
  const client = connect(port, '127.0.0.1');
  await once(client, 'connect');
  client.write('你好');
  await once(client, 'data');
  client.end();
  await once(client, 'close');
}

/** Reads what tcpdump writes until the connection is closed on both sides. */
async function readUntilClosed(
  child: ChildProcess,
): Promise<{ packets: PacketItem[]; found: TcpConversation }> {
  const reader = new CaptureReader();
  const tracker = new ConversationTracker();
  const packets: PacketItem[] = [];
  assert.ok(child.stdout !== null);
  for await (const chunk of child.stdout) {
    assert.ok(chunk instanceof Uint8Array);
    for (const item of reader.push(chunk)) {
      if (item.type !== 'packet') continue;
      packets.push(item);
      const conversation = tracker.push(item)?.conversation;
      if (conversation instanceof TcpConversation && conversation.close?.isComplete === true) {
        return { packets, found: conversation };
      }
    }
  }
  throw new Error('tcpdump ended before the connection did');
}

test('a captured connection shows SYN, SYN+ACK, ACK with the numbers that tshark shows', async (context) => {
  const { server, port } = await listen();
  try {
    const child = await startCapture(`tcp port ${port}`);
    if (typeof child === 'string') return context.skip(child);
    const [{ packets, found }] = await Promise.all([readUntilClosed(child), converse(port)]);
    child.kill('SIGINT');
    const { syn, synAck, ack } = found.handshake ?? {};
    assert.deepEqual([syn?.flags, synAck?.flags, ack?.flags], ['SYN', 'SYN+ACK', 'ACK']);
    assert.equal(synAck?.acknowledgment?.absolute, ((syn?.sequence.absolute ?? 0) + 1) >>> 0);
    assert.equal(ack?.acknowledgment?.relative, 1);
    assert.deepEqual([found.sides.client.bytes, found.sides.server.bytes], [6, 12]);
    assert.equal(found.close?.by, 'client');
    const dissect = createDissector();
    const texts = packets.map((item) => dissect(item.bytes).layers.at(-1)?.value('data.data'));
    assert.ok(
      texts.some(
        (bytes) => bytes instanceof Uint8Array && Buffer.from(bytes).toString() === '你好',
      ),
    );
    if (tsharkOracleMissing() !== undefined) return undefined;
    const samples = packets.map(
      (item): Sample => ({ name: 'live', linkType: item.linkType, bytes: item.bytes }),
    );
    assert.deepEqual(compareSamples(samples), []);
    return undefined;
  } finally {
    server.close();
  }
});
