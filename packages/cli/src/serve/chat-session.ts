import { setTimeout as sleep } from 'node:timers/promises';
import { escapeText } from '../text/escape-text.ts';
import { QuitWord } from '../text/quit-word.ts';
import type { Conversation, Session } from './conversation.ts';

const NEWLINE = 0x0a;
// A line's limit and a direction's high-water mark (docs: safety, "Bounds").
const MAX_LINE_BYTES = 64 * 1024;
const MAX_QUEUED_BYTES = 64 * 1024;
// Arbitrary: how long who speaks waits for somebody who doesn't read.
const PATIENCE_MS = 1_000;
// Arbitrary.
const MAX_NICK = 32;

const HELP = '* each line goes to everyone else; /nick NAME changes the name before yours';

/** Somebody in the room. */
class Member {
  readonly conversation: Conversation;
  /** What stands before its lines. */
  nick: string;
  /** Bytes that the member has not taken yet. */
  #queued = 0;
  #whenReading: (() => void)[] = [];

  constructor(conversation: Conversation, nick: string) {
    this.conversation = conversation;
    this.nick = nick;
  }

  /** Whether so much waits that who speaks must wait too. */
  get isBehind(): boolean {
    return this.#queued > MAX_QUEUED_BYTES;
  }

  tell(line: string): void {
    const { isFramed } = this.conversation.channel;
    const bytes = Buffer.from(isFramed ? line : `${line}\n`);
    this.#queued += bytes.length;
    // Its own receive fails too, and that ends its session.
    void this.conversation.sendall(bytes).then(
      () => this.#taken(bytes.length),
      () => this.#taken(bytes.length),
    );
  }

  #taken(bytes: number): void {
    this.#queued -= bytes;
    if (this.#queued > 0) return;
    for (const resolve of this.#whenReading.splice(0)) resolve();
  }

  /** Waits until the member has taken everything, or is put out. */
  async catchUp(): Promise<void> {
    const isReading = new Promise<true>((resolve) => this.#whenReading.push(() => resolve(true)));
    const isLate = sleep(PATIENCE_MS, false as const, { ref: false });
    if (await Promise.race([isReading, isLate])) return;
    this.conversation.close('it did not read what the others said');
  }
}

/**
 * A room: each line goes to everyone else, after its sender's name: `guest1` until `/nick NAME`
 * chooses another. Who enters is told so. Who speaks faster than the others read waits for them, and
 * who doesn't read for a second is put out.
 */
export function chatSession(quit: string | undefined): Session {
  const room = new Room();
  return async (conversation) => {
    const member = room.enter(conversation);
    try {
      for await (const line of lines(conversation, quit)) {
        room.hear(member, textOf(line));
        await room.haveRead(member);
      }
    } finally {
      room.leave(member);
    }
  };
}

class Room {
  #members = new Set<Member>();
  #guests = 0;

  enter(conversation: Conversation): Member {
    const member = new Member(conversation, this.#guestName());
    this.#members.add(member);
    member.tell(
      `* you are ${member.nick}, ${this.#count()}; /nick NAME changes your name, /help explains`,
    );
    this.#tellOthers(member, `* ${member.nick} joined, ${this.#count()}`);
    return member;
  }

  /** A name that nobody here has, nor had as a guest. */
  #guestName(): string {
    for (;;) {
      this.#guests += 1;
      const nick = `guest${this.#guests}`;
      if (!this.#isTaken(nick)) return nick;
    }
  }

  leave(member: Member): void {
    this.#members.delete(member);
    this.#tellOthers(member, `* ${member.nick} left, ${this.#count()}`);
  }

  #count(): string {
    const { size } = this.#members;
    return size === 1 ? '1 is here' : `${size} are here`;
  }

  hear(member: Member, line: string): void {
    const [, nick] = /^\/nick(?:\s+(.*))?$/.exec(line) ?? [];
    if (line.startsWith('/nick') && /^\/nick(\s|$)/.test(line)) this.#rename(member, nick ?? '');
    else if (/^\/help\s*$/.test(line)) member.tell(HELP);
    else this.#tellOthers(member, `${member.nick}: ${line}`);
  }

  /** Waits for the others that are behind. */
  async haveRead(speaker: Member): Promise<void> {
    const behind = [...this.#members].filter((member) => member !== speaker && member.isBehind);
    if (behind.length > 0) await Promise.all(behind.map((member) => member.catchUp()));
  }

  #rename(member: Member, wanted: string): void {
    const nick = wanted.trim();
    const problem =
      nickProblem(nick) ?? (this.#isTaken(nick) ? 'somebody has that name' : undefined);
    if (problem !== undefined) {
      member.tell(`* cannot call you ${JSON.stringify(nick.slice(0, MAX_NICK))}: ${problem}`);
      return;
    }
    const before = member.nick;
    member.nick = nick;
    member.tell(`* you are ${nick}`);
    this.#tellOthers(member, `* ${before} is now ${nick}`);
  }

  #isTaken(nick: string): boolean {
    return [...this.#members].some((member) => member.nick === nick);
  }

  #tellOthers(member: Member, line: string): void {
    for (const other of this.#members) if (other !== member) other.tell(line);
  }
}

function nickProblem(nick: string): string | undefined {
  if (nick === '') return 'expected /nick NAME';
  if (nick.length > MAX_NICK) return `it has more than ${MAX_NICK} characters`;
  return /^[\p{L}\p{M}\p{N}_.-]+$/u.test(nick) ? undefined : 'expected letters, digits, _ . -';
}

/** The text of a line, without what would drive the terminals of the others. */
function textOf(line: Buffer): string {
  return escapeText(line.toString().replace(/\r?\n$/, ''), { keep: '\t' });
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
