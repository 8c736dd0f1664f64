import { hostErrorMessage, hostErrorName } from '../constants/index.ts';

/** What `gethostbyname` or `gethostbyaddr` reports. Source: hstrerror(3). */
export class HostError extends Error {
  /** 'HOST_NOT_FOUND', 'TRY_AGAIN', 'NO_RECOVERY' or 'NO_DATA'. */
  readonly code: string;
  /** The h_errno number. */
  readonly errno: number;
  readonly syscall: string;
  readonly host?: string;

  constructor(syscall: string, errno: number, host?: string) {
    const code = hostErrorName.get(errno) ?? `H${errno}`;
    const where = host === undefined ? '' : ` ${JSON.stringify(host)}`;
    super(
      `${syscall} ${code}${where}: ${hostErrorMessage.get(errno) ?? 'unknown error'} (h_errno ${errno})`,
    );
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
    if (host !== undefined) this.host = host;
  }

  override get name(): string {
    return 'HostError';
  }
}
