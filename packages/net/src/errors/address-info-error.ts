import { addressInfoErrorMessage, addressInfoErrorName } from '../constants/index.ts';

/** What `getaddrinfo` or `getnameinfo` reports. Source: gai_strerror(3). */
export class AddressInfoError extends Error {
  /** 'EAI_NONAME', … */
  readonly code: string;
  /** The EAI_ number, as libc defines it: negative on Linux. */
  readonly errno: number;
  readonly syscall: string;
  readonly host?: string;

  constructor(syscall: string, errno: number, host?: string | null) {
    const code = addressInfoErrorName.get(errno) ?? `EAI_${errno}`;
    const where = host === undefined || host === null ? '' : ` ${JSON.stringify(host)}`;
    super(
      `${syscall} ${code}${where}: ${addressInfoErrorMessage.get(errno) ?? 'unknown error'} (EAI ${errno})`,
    );
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
    if (host !== undefined && host !== null) this.host = host;
  }

  override get name(): string {
    return 'AddressInfoError';
  }
}
