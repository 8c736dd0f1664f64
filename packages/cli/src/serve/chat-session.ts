import { QuitWord } from '../text/quit-word.ts';
import type { Connection } from './connection.ts';
import type { Session } from './stream-server.ts';

const NEWLINE = 0x0a;
// A line's limit and a direction's high-water mark (docs: safety, "Bounds").
const MAX_LINE_BYTES = 64 * 1024;
const MAX_QUEUED_BYTES = 64 * 1024;

interface Member {
  readonly connection: Connection;
  /** Bytes that the member has not taken yet. */
  queued: number;
}

/**
 * A room: each line goes to everyone else. Who doesn't read is put out, so that the others need not
 * wait.
 */
export function chatSession(quit: string | undefined): Session {
  const room = new Set<Member>();
  return async (connection) => {
    const member: Member = { connection, queued: 0 };
    room.add(member);
    try {
      for await (const line of lines(connection, quit)) {
        for (const other of room) if (other !== member) tell(other, line);
      }
    } finally {
      room.delete(member);
    }
  };
}

function tell(member: Member, line: Buffer): void {
  if (member.queued + line.length > MAX_QUEUED_BYTES + MAX_LINE_BYTES) {
    member.connection.close('it did not read what the others said');
    return;
  }
  void send(member, line);
}

async function send(member: Member, line: Buffer): Promise<void> {
  member.queued += line.length;
  try {
    await member.connection.sendall(line);
    member.queued -= line.length;
  } catch {
    // Its own receive fails too, and that ends its session.
  }
}

/** Whole lines, each with its newline; the last one gets one. */
async function* lines(connection: Connection, quit: string | undefined): AsyncIterable<Buffer> {
  const isQuit = (line: Buffer): boolean =>
    quit !== undefined && new QuitWord(quit).find(line) === 0;
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of connection) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      const line = rest.subarray(0, end + 1);
      if (isQuit(line)) return;
      yield line;
      rest = rest.subarray(end + 1);
    }
    if (isQuit(rest)) return;
    if (rest.length > MAX_LINE_BYTES) throw new RangeError('a line is longer than 64 KiB');
  }
  if (rest.length > 0) yield Buffer.concat([rest, Buffer.of(NEWLINE)]);
}
