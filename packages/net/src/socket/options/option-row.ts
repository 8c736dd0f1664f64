import type { OptionCodec } from './option-codec.ts';

/** What decides which options a socket has. */
export interface SocketKind {
  readonly family: number;
  readonly type: number;
  readonly proto: number;
}

/** An option: where it is, what it is, and which sockets have it. */
export interface OptionRow<Value, Input> {
  /** undefined where this system's headers lack it. */
  readonly level: number | undefined;
  readonly number: number | undefined;
  readonly access: 'rw' | 'r' | 'w';
  readonly codec: OptionCodec<Value, Input>;
  readonly applies: (kind: SocketKind) => boolean;
  /** Reading it changes something, so that a list doesn't. */
  readonly readChanges: boolean;
}

type Constant = number | undefined;

/** The three kinds of row at a level, for the sockets that `applies` says. */
export function optionsAt(level: Constant, applies: OptionRow<unknown, unknown>['applies']) {
  const row =
    <Access extends 'rw' | 'r' | 'w'>(access: Access, readChanges: boolean) =>
    <Value, Input>(number: Constant, codec: OptionCodec<Value, Input>) =>
      ({ level, number, access, codec, applies, readChanges }) as OptionRow<
        Access extends 'w' ? never : Value,
        Access extends 'r' ? never : Input
      >;
  return {
    readWrite: row('rw', false),
    readOnly: row('r', false),
    writeOnly: row('w', false),
    /** Reading takes something away or makes something. */
    takes: row('r', true),
  };
}
