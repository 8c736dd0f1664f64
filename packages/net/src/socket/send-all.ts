import { native } from '@sockeye/native';
import { EAGAIN } from '../constants/index.ts';
import type { SocketError } from '../errors/index.ts';
import type { Descriptor } from './descriptor.ts';
import { type Attempt, type Operation, WOULD_BLOCK, YIELD } from './operation.ts';

/** `sendall`: sends until everything is with the kernel. What is left stays in `data`. */
export class SendAll implements Operation<void> {
  data: Uint8Array;
  /** Bytes at the call: a buffer that is detached or resized meanwhile is told by it. */
  length: number;
  readonly flags: number;
  /** Bytes that the kernel took. */
  sent = 0;
  #descriptor: Descriptor;

  constructor(descriptor: Descriptor, data: Uint8Array, flags: number) {
    this.#descriptor = descriptor;
    this.data = data;
    this.length = data.length;
    this.flags = flags;
  }

  get syscall(): 'sendall' {
    return 'sendall';
  }

  get direction(): 'write' {
    return 'write';
  }

  /** Bytes that are still to be sent. */
  get left(): number {
    return this.length - this.sent;
  }

  /** False once the buffer was detached or shrunk; `attempt` then throws. */
  get isWhole(): boolean {
    return this.data.length >= this.length;
  }

  attempt(): Attempt<void> {
    do {
      const { fd } = this.#descriptor;
      const count = native.send(fd, this.data, this.sent, this.left, this.flags);
      if (count === -EAGAIN) return WOULD_BLOCK;
      if (count < 0) throw this.#descriptor.error('sendall', -count);
      this.sent += count;
      this.#descriptor.writer.charge(count);
    } while (this.left > 0 && this.#descriptor.writer.hasTurn());
    return this.left > 0 ? YIELD : undefined;
  }

  describe(error: Error): void {
    Object.assign(error, { bytesSent: this.sent });
  }

  /** The error of a send that the engine made for it. */
  failed(errno: number): SocketError {
    return this.#descriptor.error('sendall', errno);
  }
}
