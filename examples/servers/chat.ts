// A chat room: the first line is a name, every other goes to everybody else.
// Run: node examples/dist/servers/chat.js [PORT]    Join: nc 127.0.0.1 PORT
import { lines } from '@sockeye/net/codec';
import { framed, type MessageStream } from '@sockeye/net/framed';
import { serve } from '@sockeye/net/server';

const members = new Map<MessageStream<string>, string>();

async function say(text: string, from?: MessageStream<string>): Promise<void> {
  const others = [...members.keys()].filter((member) => member !== from);
  // Whoever has just left misses it.
  await Promise.allSettled(others.map((member) => member.send(text)));
}

const server = await serve(
  { host: '127.0.0.1', port: Number(process.argv[2] ?? 0) },
  async (connection) => {
    const messages = framed(connection, lines());
    try {
      for await (const line of messages) {
        const name = members.get(messages);
        if (name !== undefined) await say(`${name}: ${line}`, messages);
        else {
          members.set(messages, line);
          await say(`${line} is here`);
        }
      }
    } finally {
      const name = members.get(messages);
      members.delete(messages);
      if (name !== undefined) await say(`${name} has gone`);
    }
  },
  // People may be silent for long.
  { idleTimeoutMs: Number.POSITIVE_INFINITY, firstByteTimeoutMs: 60_000 },
);
const { port } = server.address as { port: number };
console.log(`listening on 127.0.0.1:${port}`);
process.once('SIGTERM', () => void server.drain({ timeoutMs: 0 }));
