import { native } from '@sockeye/native';
import {
  ENOPROTOOPT,
  SO_ATTACH_FILTER,
  SO_ATTACH_REUSEPORT_CBPF,
  SOL_SOCKET,
} from '../../constants/index.ts';
import { invalidValue, SocketError } from '../../errors/index.ts';
import type { Descriptor } from '../descriptor.ts';
import type { OptionCodec, OptionUnit } from './option-codec.ts';
import type { OptionRow, SocketKind } from './option-row.ts';
import {
  type OptionInput,
  type OptionName,
  optionTable,
  type OptionValue,
  type ReadableOption,
  type WritableOption,
} from './option-table.ts';

/** An option of a socket, as `list` gives it. */
export interface ListedOption {
  readonly name: OptionName;
  readonly level: number;
  readonly number: number;
  readonly access: 'rw' | 'r' | 'w';
  readonly kind: OptionCodec<unknown>['kind'];
  readonly unit: OptionUnit | undefined;
  /** undefined where the option isn't read: it can't be, reading changes it, or it failed. */
  readonly value: unknown;
  /** Why reading failed: ENOPROTOOPT where the kernel lacks the option, ENOTCONN, EPERM, … */
  readonly error: SocketError | undefined;
}

/**
 * A socket's options with their types. Every value is checked before the system call; what isn't
 * here is read and set by `getsockopt` and `setsockopt`.
 *
 * Durations are in the unit that the kernel counts in, which `list` tells: seconds for SO_RCVTIMEO,
 * SO_LINGER and TCP_KEEPIDLE, milliseconds for TCP_USER_TIMEOUT, microseconds for SO_BUSY_POLL.
 * In structs it is part of the field's name.
 *
 * Source: socket(7), ip(7), ipv6(7), tcp(7), udp(7), packet(7), netlink(7), vsock(7).
 *
 * @example
 * const socket = new Socket();
 * socket.options.set('SO_LINGER', { onoff: true, seconds: 5 });
 * assert.deepEqual(socket.options.get('SO_LINGER'), { onoff: true, seconds: 5 });
 * assert.equal(socket.options.get('TCP_INFO').state, TCP_CLOSE);
 * socket.close();
 */
export class TypedOptions {
  readonly #descriptor: Descriptor;
  readonly #kind: SocketKind;

  constructor(descriptor: Descriptor, kind: SocketKind) {
    this.#descriptor = descriptor;
    this.#kind = kind;
  }

  /**
   * An option's value. SO_PEERPIDFD makes a descriptor that is the caller's to close.
   *
   * @throws TypeError for a name that isn't in the table or can only be set; SocketError
   *   ENOPROTOOPT, EOPNOTSUPP where the socket or the system lacks the option, EPERM, …
   * Source: getsockopt(2).
   */
  get<Name extends ReadableOption>(name: Name): OptionValue<Name> {
    const row = rowOf(name);
    if (row.access === 'w') throw invalidValue('name', 'an option that can be read', name);
    return this.#read(name, row) as OptionValue<Name>;
  }

  /**
   * Sets an option.
   *
   * @throws TypeError, RangeError for a value that isn't the option's, before any system call;
   *   SocketError as `get`, and EINVAL, EDOM, … where the kernel refuses the value
   * Source: setsockopt(2).
   */
  set<Name extends WritableOption>(name: Name, value: OptionInput<Name>): void {
    const row = rowOf(name);
    if (row.access === 'r') throw invalidValue('name', 'an option that can be set', name);
    const bytes = row.codec.encode(name, value);
    const { level, number } = known('setsockopt', name, row);
    const { fd } = this.#descriptor;
    this.#descriptor.noteOption();
    const status = takesProgram(level, number)
      ? native.attachFilter(fd, level, number, bytes)
      : native.setsockopt(fd, level, number, bytes, bytes.length);
    if (status < 0) throw this.#descriptor.error('setsockopt', -status, { address: name });
  }

  /** Every option that a socket of this family, type and protocol may have, in the table's order. */
  list(): ListedOption[] {
    return (Object.keys(optionTable) as OptionName[]).flatMap((name) => {
      const row = rowOf(name);
      const { level, number, access, codec } = row;
      if (level === undefined || number === undefined || !row.applies(this.#kind)) return [];
      const listed = { name, level, number, access, kind: codec.kind, unit: codec.unit };
      return [{ ...listed, ...this.#attempt(name, row) }];
    });
  }

  #attempt(
    name: OptionName,
    row: OptionRow<unknown, unknown>,
  ): Pick<ListedOption, 'value' | 'error'> {
    if (row.access === 'w' || row.readChanges) return { value: undefined, error: undefined };
    try {
      return { value: this.#read(name, row), error: undefined };
    } catch (error) {
      if (error instanceof SocketError) return { value: undefined, error };
      throw error;
    }
  }

  #read(name: OptionName, row: OptionRow<unknown, unknown>): unknown {
    const { level, number } = known('getsockopt', name, row);
    const bytes = Buffer.alloc(row.codec.size);
    const status = native.getsockopt(this.#descriptor.fd, level, number, bytes);
    if (status < 0) throw this.#descriptor.error('getsockopt', -status, { address: name });
    // Some options (NETLINK_LIST_MEMBERSHIPS) report the length they would need.
    return row.codec.decode(bytes.subarray(0, Math.min(status, bytes.length)));
  }
}

function rowOf(name: unknown): OptionRow<unknown, unknown> {
  if (typeof name === 'string' && Object.hasOwn(optionTable, name))
    return optionTable[name as OptionName];
  throw invalidValue('name', 'the name of an option with a type', name);
}

function known(
  syscall: string,
  name: string,
  { level, number }: OptionRow<unknown, unknown>,
): { level: number; number: number } {
  if (level !== undefined && number !== undefined) return { level, number };
  throw new SocketError(syscall, ENOPROTOOPT, {
    address: name,
    reason: "this system's headers don't know the option",
  });
}

/** Options whose value is a struct sock_fprog, which has a pointer. */
function takesProgram(level: number, number: number): boolean {
  return (
    level === SOL_SOCKET && (number === SO_ATTACH_FILTER || number === SO_ATTACH_REUSEPORT_CBPF)
  );
}
