import { escapeText } from '../text/escape-text.ts';
import { QuitWord } from '../text/quit-word.ts';
import type { Conversation, Session } from './conversation.ts';

const NEWLINE = 0x0a;
// A line's limit and a direction's high-water mark (docs: safety, "Bounds").
const MAX_LINE_BYTES = 64 * 1024;
const MAX_QUEUED_BYTES = 64 * 1024;
// Arbitrary.
const MAX_NICK = 32;

interface Member {
  readonly conversation: Conversation;
  /** '' as long as none was chosen. */
  nick: string;
  /** Bytes that the member has not taken yet. */
  queued: number;
}

/**
 * A room: each line goes to everyone else. `/nick NAME` puts a name before one's lines. Who doesn't
 * read is put out, so that the others need not wait.
 */
export function chatSession(quit: string | undefined): Session {
  const room = new Room();
  return async (conversation) => {
    const member: Member = { conversation, nick: '', queued: 0 };
    room.enter(member);
    try {
      for await (const line of lines(conversation, quit)) room.hear(member, textOf(line));
    } finally {
      room.leave(member);
    }
  };
}

class Room {
  #members = new Set<Member>();

  enter(member: Member): void {
    this.#members.add(member);
    this.#tellOthers(member, `* somebody joined, ${this.#count()}`);
  }

  leave(member: Member): void {
    this.#members.delete(member);
    this.#tellOthers(member, `* ${nameOf(member)} left, ${this.#count()}`);
  }

  #count(): string {
    const { size } = this.#members;
    return size === 1 ? '1 is here' : `${size} are here`;
  }

  hear(member: Member, line: string): void {
    const [, nick] = /^\/nick(?:\s+(.*))?$/.exec(line) ?? [];
    if (line.startsWith('/nick') && /^\/nick(\s|$)/.test(line)) this.#rename(member, nick ?? '');
    else this.#tellOthers(member, spoken(member, line));
  }

  #rename(member: Member, wanted: string): void {
    const nick = wanted.trim();
    const problem = nickProblem(nick) ?? this.#takenProblem(nick);
    if (problem !== undefined) {
      tell(member, `* cannot call you ${JSON.stringify(nick.slice(0, MAX_NICK))}: ${problem}`);
      return;
    }
    const before = nameOf(member);
    member.nick = nick;
    tell(member, `* you are ${nick}`);
    this.#tellOthers(member, `* ${before} is now ${nick}`);
  }

  #takenProblem(nick: string): string | undefined {
    const isTaken = [...this.#members].some((member) => member.nick === nick);
    return isTaken ? 'somebody has that name' : undefined;
  }

  #tellOthers(member: Member, line: string): void {
    for (const other of this.#members) if (other !== member) tell(other, line);
  }
}

function nickProblem(nick: string): string | undefined {
  if (nick === '') return 'expected /nick NAME';
  if (nick.length > MAX_NICK) return `it has more than ${MAX_NICK} characters`;
  return /^[\p{L}\p{M}\p{N}_.-]+$/u.test(nick) && nick !== 'somebody'
    ? undefined
    : 'expected letters, digits, _ . -';
}

function nameOf({ nick }: Member): string {
  return nick === '' ? 'somebody' : nick;
}

/** A line as the others see it. Without a name it goes as it is, unless it looks like another's. */
function spoken({ nick }: Member, line: string): string {
  if (nick !== '') return `${nick}: ${line}`;
  return /^\*|^[\p{L}\p{M}\p{N}_.-]+: /u.test(line) ? `somebody: ${line}` : line;
}

/** The text of a line, without what would drive the terminals of the others. */
function textOf(line: Buffer): string {
  return escapeText(line.toString().replace(/\r?\n$/, ''), { keep: '\t' });
}

function tell(member: Member, line: string): void {
  const { isFramed } = member.conversation.channel;
  const bytes = Buffer.from(isFramed ? line : `${line}\n`);
  if (member.queued + bytes.length > MAX_QUEUED_BYTES + MAX_LINE_BYTES) {
    member.conversation.close('it did not read what the others said');
    return;
  }
  void send(member, bytes);
}

async function send(member: Member, line: Buffer): Promise<void> {
  member.queued += line.length;
  try {
    await member.conversation.sendall(line);
    member.queued -= line.length;
  } catch {
    // Its own receive fails too, and that ends its session.
  }
}

/** Whole lines, each with its newline; the last one gets one. */
async function* lines(conversation: Conversation, quit: string | undefined): AsyncIterable<Buffer> {
  const isQuit = (line: Buffer): boolean =>
    quit !== undefined && new QuitWord(quit).find(line) === 0;
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of conversation) {
    const isMessage = conversation.channel.isFramed;
    const more = isMessage ? Buffer.concat([chunk, Buffer.of(NEWLINE)]) : chunk;
    rest = rest.length === 0 ? more : Buffer.concat([rest, more]);
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
