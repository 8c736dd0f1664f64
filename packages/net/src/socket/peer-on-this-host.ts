import { native } from '@sockeye/native';
import { lastAddress } from './receive.ts';
import { addressOut } from './scratch.ts';

// 127.0.0.0/8 never leaves a host; from ::1 only ::1 can be reached.
const LOOPBACK = /^(::ffff:)?127\./;

/** Whether a TCP connection stays on this host: its ends have one address, or are loopback. */
export function hasPeerOnThisHost(fd: number): boolean {
  if (native.getsockname(fd, addressOut) < 0) return false;
  const own = hostInScratch();
  if (own === undefined || native.getpeername(fd, addressOut) < 0) return false;
  const peer = hostInScratch();
  return peer === own || (LOOPBACK.test(own) && LOOPBACK.test(peer ?? ''));
}

function hostInScratch(): string | undefined {
  const address = lastAddress(0);
  return address !== null && 'host' in address ? address.host : undefined;
}
