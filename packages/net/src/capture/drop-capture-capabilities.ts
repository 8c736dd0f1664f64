import { native } from '@sockeye/native';
import { ENOSYS } from '../constants/index.ts';
import { SocketError } from '../errors/index.ts';

// linux/capability.h
const CAP_NET_ADMIN = 12;
const CAP_NET_RAW = 13;

/**
 * Gives CAP_NET_RAW and CAP_NET_ADMIN up, for good, before bytes of strangers are parsed.
 *
 * Linux has capabilities per thread: they are dropped in the thread that calls, which is the one
 * that runs JavaScript, and in all that it starts afterwards, processes included. Threads that the
 * runtime started before (its pool) keep them: they run none of our code on packets, but whoever
 * takes over the process can use them. The way without any is `setpriv` or a service manager that
 * passes the open socket. Where there are no capabilities nothing happens.
 *
 * @throws SocketError EPERM where a sandbox forbids even that
 * Source: capabilities(7), capset(2).
 *
 * @example
 * ```ts
 * assert.equal(typeof dropCaptureCapabilities, 'function');
 * ```
 */
export function dropCaptureCapabilities(): void {
  for (const capability of [CAP_NET_RAW, CAP_NET_ADMIN]) {
    const status = native.dropCapability(capability);
    if (status < 0 && status !== -(ENOSYS as number)) throw new SocketError('capset', -status);
  }
}
