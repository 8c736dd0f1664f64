import type { Reason } from './reason.ts';

/** Which side of the files one is. */
export type Role = 'sender' | 'receiver';

/** A file or directory as the sender describes it. */
export interface Entry {
  readonly id: number;
  readonly kind: 'file' | 'directory';
  /** Names from the root of the transfer down; the last is the entry's own. */
  readonly path: readonly string[];
  /** Bytes; 0 for a directory. */
  readonly size: number;
  /** Permission bits, 0 to 0o777. */
  readonly mode: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  /** The source has holes, so zeros needn't be written. */
  readonly sparse: boolean;
}

export interface Hello {
  readonly type: 'hello';
  readonly role: Role;
  readonly minVersion: number;
  readonly maxVersion: number;
  /** Hash functions the side can compute, the preferred one first. */
  readonly hashes: readonly string[];
}

export interface Offer {
  readonly type: 'offer';
  readonly entries: number;
  readonly bytes: number;
  /** The first names at the top, for people to look at. */
  readonly names: readonly string[];
}

export interface Block {
  readonly type: 'block' | 'repair';
  readonly id: number;
  readonly index: number;
  readonly hash: Buffer;
  /** A view of the frame. */
  readonly payload: Buffer;
}

/** A small file, announced with its content. */
export interface Whole {
  readonly type: 'whole';
  readonly entry: Entry;
  readonly root: Buffer;
  /** As in END. */
  readonly seal: Buffer;
  /** A view of the frame. */
  readonly payload: Buffer;
}

export interface Refusal<Type extends 'refuse' | 'abandon'> {
  readonly type: Type;
  readonly id: number;
  readonly reason: Reason;
  readonly text: string;
}

/** A message of the protocol. docs/transfer-protocol.md has the layout of each. */
export type Message =
  | Hello
  | Offer
  | { readonly type: 'answer'; readonly yes: boolean; readonly reason: string }
  | { readonly type: 'entry'; readonly entry: Entry }
  | Whole
  | { readonly type: 'accept'; readonly id: number; readonly keptBlocks: number }
  /** The receiver refuses a file, or the sender gives one up. */
  | Refusal<'refuse'>
  | Refusal<'abandon'>
  | { readonly type: 'digest'; readonly id: number; readonly index: number; readonly hash: Buffer }
  | Block
  | { readonly type: 'hole'; readonly id: number; readonly index: number; readonly count: number }
  | {
      readonly type: 'end';
      readonly id: number;
      readonly root: Buffer;
      /** Hash over the entry and the root, so that a damaged entry is found too. */
      readonly seal: Buffer;
    }
  | { readonly type: 'want'; readonly id: number; readonly index: number }
  | { readonly type: 'progress'; readonly bytes: number }
  | {
      readonly type: 'ack';
      readonly id: number;
      readonly how: 'written' | 'identical';
      readonly root: Buffer;
    }
  | { readonly type: 'done' }
  | { readonly type: 'bye' }
  /** Nothing to say, but alive. */
  | { readonly type: 'ping' }
  | { readonly type: 'failure'; readonly reason: Reason; readonly text: string };

export type MessageType = Message['type'];

/** The first byte of a frame's body. */
export const TYPE_NUMBERS: Readonly<Record<MessageType, number>> = {
  hello: 1,
  offer: 2,
  answer: 3,
  entry: 4,
  accept: 5,
  refuse: 6,
  digest: 7,
  block: 8,
  hole: 9,
  end: 10,
  want: 11,
  repair: 12,
  abandon: 13,
  progress: 14,
  ack: 15,
  done: 16,
  bye: 17,
  failure: 18,
  ping: 19,
  whole: 20,
};
