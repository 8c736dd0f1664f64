import { native } from '@sockeye/native';
import { type AddressInput, encodeAddressInto } from '../address/index.ts';
import { EAGAIN, EINPROGRESS, EINTR, POLLOUT, SO_ERROR, SOL_SOCKET } from '../constants/index.ts';
import { interfaceNames } from './interface-names.ts';
import { type Operation, TRY_LATER, WOULD_BLOCK } from './operation.ts';
import { addressIn } from './scratch.ts';
import type { Target } from './send.ts';

const word = new Int32Array(1);
const wordBytes = new Uint8Array(word.buffer);

// AF_UNSPEC. Linux gives ECONNABORTED to the first connect(2) after one that failed later than its
// call; dissolving the association (connect(2)) makes the socket as good as new for it.
const unspecified = new Uint8Array(16);

/** The error that waits on the descriptor, which reading takes away: 0 for none. */
export function takeSocketError(fd: number): number {
  const status = native.getsockopt(fd, SOL_SOCKET, SO_ERROR, wordBytes);
  return status < 0 ? -status : (word[0] as number);
}

/**
 * connect(2), and after EINPROGRESS (or EINTR, which doesn't end the attempt) the wait for
 * writability and SO_ERROR. On a Unix socket EAGAIN says that the listener's backlog is full.
 */
export function connectTo(
  { descriptor, family, proto }: Target,
  address: AddressInput,
): Operation<void> {
  const length = encodeAddressInto(family, proto, address, addressIn, interfaceNames);
  const sockaddr = Uint8Array.from(addressIn.subarray(0, length));
  let started = false;
  const fail = (errno: number): Error => descriptor.error('connect', errno, { address });
  const finish = (): undefined | typeof WOULD_BLOCK => {
    const ready = native.poll(descriptor.fd, POLLOUT, 0);
    if (ready === 0) return WOULD_BLOCK;
    const errno = takeSocketError(descriptor.fd);
    if (errno === 0) return undefined;
    native.connect(descriptor.fd, unspecified, unspecified.length);
    throw fail(errno);
  };
  return {
    syscall: 'connect',
    direction: 'write',
    address,
    attempt() {
      if (started) return finish();
      const status = native.connect(descriptor.fd, sockaddr, length);
      if (status === 0) return undefined;
      if (status === -(EAGAIN as number)) return TRY_LATER;
      if (![EINPROGRESS, EINTR].includes(-status)) throw fail(-status);
      started = true;
      return WOULD_BLOCK;
    },
  };
}
