import { inspect } from 'node:util';
import { errnoMessage, errnoName } from '../constants/index.ts';

/** What a failed call knew beyond its errno. */
export interface SocketErrorDetails {
  /** The address that the call was about, as the caller gave it or the kernel reported it. */
  readonly address?: unknown;
  /** Replaces the system's text for the errno. */
  readonly reason?: string;
  /** Computes what to do about it, when somebody asks; it must not throw. */
  readonly explain?: ((code: string) => string | undefined) | undefined;
  readonly cause?: unknown;
}

/**
 * A system call failed.
 *
 * `message` names the call, the code, the address and the errno with the system's text.
 * `hint` says what to do about it where that can be known; it is computed when first read.
 * Source: errno(3).
 */
export class SocketError extends Error {
  /** The errno's name, such as 'ECONNREFUSED'. */
  readonly code: string;
  /** The errno, positive. */
  readonly errno: number;
  readonly syscall: string;
  readonly address?: unknown;
  #explain: ((code: string) => string | undefined) | undefined;
  #hint: string | undefined;

  constructor(syscall: string, errno: number, details: SocketErrorDetails = {}) {
    const code = errnoName.get(errno) ?? `E${errno}`;
    super(
      describe(syscall, code, errno, details),
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
    if (details.address !== undefined) this.address = details.address;
    this.#explain = details.explain;
  }

  override get name(): string {
    return 'SocketError';
  }

  /** What to do about it, in one sentence; undefined where nothing more is known. */
  get hint(): string | undefined {
    const explain = this.#explain;
    this.#explain = undefined;
    if (explain !== undefined) this.#hint = explain(this.code);
    return this.#hint;
  }

  override toString(): string {
    return this.hint === undefined ? super.toString() : `${super.toString()}; ${this.hint}`;
  }
}

function describe(
  syscall: string,
  code: string,
  errno: number,
  { address, reason }: SocketErrorDetails,
): string {
  const where = address === undefined || address === null ? '' : ` ${formatAddress(address)}`;
  return `${syscall} ${code}${where}: ${reason ?? errnoMessage.get(errno) ?? 'unknown error'} (errno ${errno})`;
}

/** An address in one word: `127.0.0.1:80`, `[::1]:80`, a path, `@abstract`, else its fields. */
export function formatAddress(address: unknown): string {
  if (typeof address !== 'object' || address === null) return String(address);
  const { host, port, path } = address as { host?: unknown; port?: unknown; path?: unknown };
  if (typeof host === 'string') return `${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
  if (typeof path === 'string') return JSON.stringify(path.replace(/^\0/, '@')).slice(1, -1);
  return inspect(address, { breakLength: Number.POSITIVE_INFINITY });
}
