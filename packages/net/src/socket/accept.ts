import { native } from '@sockeye/native';
import { type Address, decodeAddress } from '../address/index.ts';
import {
  AF_ALG,
  EAGAIN,
  ECONNABORTED,
  EHOSTDOWN,
  EHOSTUNREACH,
  ENETDOWN,
  ENETUNREACH,
  ENONET,
  ENOPROTOOPT,
  EPERM,
  EPROTO,
} from '../constants/index.ts';
import { Descriptor } from './descriptor.ts';
import { TURN_BYTES } from './engine.ts';
import { interfaceNames } from './interface-names.ts';
import { type Attempt, type Operation, WOULD_BLOCK, YIELD } from './operation.ts';
import { addressOut } from './scratch.ts';
import { lastAddress } from './receive.ts';

/**
 * Errors that belong to the connection that was to be accepted, not to the listener: the next one is
 * taken at once. accept(2) names the network ones; ECONNABORTED is a
 * peer that left early, EPERM a firewall's refusal.
 */
const NEXT_AT_ONCE: ReadonlySet<number> = new Set(
  [
    ECONNABORTED,
    EPROTO,
    EPERM,
    ENETDOWN,
    ENOPROTOOPT,
    EHOSTDOWN,
    ENONET,
    EHOSTUNREACH,
    ENETUNREACH,
  ].filter((errno) => errno !== undefined),
);

const nowhere = Buffer.alloc(0);
// Arbitrary: connections that failed before they were taken, in one go.
const MAX_FAILED = 64;
// At most 16 accepts a turn (safety.md 7).
const ACCEPT_CHARGE = TURN_BYTES / 16;

/** accept4(2) on a listener. It keeps nothing between its attempts, so that one does for a loop. */
export class Accept<Result> implements Operation<Result> {
  #listener: Descriptor;
  #adopt: (descriptor: Descriptor, address: Address | null) => Result;

  /** @param adopt makes the result of the new descriptor and the peer's address */
  constructor(
    listener: Descriptor,
    adopt: (descriptor: Descriptor, address: Address | null) => Result,
  ) {
    this.#listener = listener;
    this.#adopt = adopt;
  }

  get syscall(): 'accept' {
    return 'accept';
  }

  get direction(): 'read' {
    return 'read';
  }

  attempt(): Attempt<Result> {
    const listener = this.#listener;
    const { family, proto } = listener.kind;
    for (let failed = 0; failed < MAX_FAILED; failed++) {
      // AF_ALG reports ECONNABORTED when it is asked for an address, which it has not.
      const out = family === AF_ALG ? nowhere : addressOut;
      const fd = native.accept4(listener.fd, out);
      if (fd >= 0) {
        listener.reader.spend(ACCEPT_CHARGE);
        return this.#accepted(fd, family === AF_ALG ? null : lastAddress(proto));
      }
      if (fd === -(EAGAIN as number)) return WOULD_BLOCK;
      if (!NEXT_AT_ONCE.has(-fd)) throw listener.error('accept', -fd);
    }
    return YIELD;
  }

  accept(fd: number, slab: Buffer, offset: number): Result {
    const length = slab.readUInt32LE(offset);
    const { proto } = this.#listener.kind;
    const address = decodeAddress(slab.subarray(offset + 4, offset + 4 + length), length, {
      proto,
      interfaces: interfaceNames,
    });
    return this.#accepted(fd, address);
  }

  #accepted(fd: number, address: Address | null): Result {
    return this.#adopt(new Descriptor(fd, this.#listener.origin), address);
  }
}
