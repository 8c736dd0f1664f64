import { native } from '@sockeye/native';
import { EAGAIN } from '../constants/index.ts';
import type { Descriptor } from './descriptor.ts';
import { type Operation, WOULD_BLOCK } from './operation.ts';
import { isImmediate } from './receive.ts';
import { PEER, SendDatagram } from './send-datagram.ts';

/** What every send needs of its socket. */
export interface Target {
  readonly descriptor: Descriptor;
  readonly family: number;
  readonly proto: number;
}

/** `send`: one system call. On a datagram socket it may leave with others. */
export function sendOnce(target: Target, data: Uint8Array, flags: number): Operation<number> {
  const { descriptor } = target;
  if (descriptor.sendsDatagrams) return new SendDatagram(target, data, PEER, flags);
  // The length at the call: the native call refuses a buffer that was detached or shrunk since.
  const { length } = data;
  return {
    syscall: 'send',
    direction: 'write',
    immediate: isImmediate(flags),
    attempt() {
      const count = native.send(descriptor.fd, data, 0, length, flags);
      if (count === -(EAGAIN as number)) return WOULD_BLOCK;
      if (count < 0) throw descriptor.error('send', -count);
      descriptor.writer.charge(count);
      return count;
    },
  };
}
