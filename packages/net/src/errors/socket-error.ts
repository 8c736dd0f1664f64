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
  declare readonly address?: unknown;
  #details: SocketErrorDetails;
  #text: string | undefined;
  #hint: string | undefined;

  constructor(syscall: string, errno: number, details: SocketErrorDetails = {}) {
    // Without a message of its own: the one below is made when it is asked for, as V8 asks for it
    // when somebody reads the stack. Most errors of a socket are handled by their code.
    super(undefined, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = errnoName.get(errno) ?? `E${errno}`;
    this.errno = errno;
    this.syscall = syscall;
    if (details.address !== undefined) this.address = details.address;
    this.#details = details;
  }

  override get name(): string {
    return 'SocketError';
  }

  /** The call, the code, the address, the system's text and errno, and the hint where there is one. */
  override get message(): string {
    if (!(#text in this)) return '';
    if (this.#text === undefined) {
      const text = describe(this.syscall, this.code, this.errno, this.#details);
      const { hint } = this;
      this.#text = hint === undefined ? text : `${text}; ${hint}`;
    }
    return this.#text;
  }

  /** What to do about it, in one sentence; undefined where nothing more is known. */
  get hint(): string | undefined {
    const { explain, ...rest } = this.#details;
    if (explain === undefined) return this.#hint;
    // Asked once: what was true when somebody first looked is the explanation.
    this.#details = rest;
    this.#hint = explain(this.code);
    return this.#hint;
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
