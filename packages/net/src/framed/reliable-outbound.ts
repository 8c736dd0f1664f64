import {
  type AckPacket,
  ReliableSender,
  type ReliableSenderOptions,
  type SenderAction,
} from '../codec/index.ts';

interface WaitingSend {
  readonly payload: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** What a peer's outbound messages need of the socket. */
export interface OutboundEvents {
  transmit(datagram: Buffer): void;
  /** The error of a peer that doesn't answer. */
  failed(sequence: number, transmissions: number): Error;
}

/** Acknowledged messages to one peer: ReliableSender with a clock, a timer and a queue. */
export class ReliableOutbound {
  readonly #sender: ReliableSender;
  readonly #events: OutboundEvents;
  #waiting: WaitingSend[] = [];
  #idle: (() => void)[] = [];
  #failure: Error | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(options: ReliableSenderOptions, events: OutboundEvents) {
    this.#sender = new ReliableSender(options);
    this.#events = events;
  }

  /** The error that ended it. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Whether nothing waits for an acknowledgement or for room. */
  get isIdle(): boolean {
    return this.#sender.inFlight === 0 && this.#waiting.length === 0;
  }

  /** Resolves once the message is on its way, which waits for room in the window. */
  send(payload: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#sender.ready && this.#waiting.length === 0) {
      this.#perform(this.#sender.send(payload, performance.now()));
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => this.#waiting.push({ payload, resolve, reject }));
  }

  acknowledged(packet: AckPacket): void {
    this.#perform(this.#sender.receive(packet, performance.now()));
  }

  /** Resolves when everything is acknowledged or has failed. */
  settled(): Promise<void> {
    if (this.isIdle) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Gives everything up. */
  stop(reason: Error): void {
    this.#failure ??= reason;
    clearTimeout(this.#timer);
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #perform(actions: SenderAction[]): void {
    for (const action of actions) {
      if (action.type === 'transmit') this.#events.transmit(action.datagram);
      if (action.type !== 'failed') continue;
      this.stop(this.#events.failed(action.sequence, action.transmissions));
      return;
    }
    while (this.#sender.ready) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      for (const action of this.#sender.send(next.payload, performance.now())) {
        if (action.type === 'transmit') this.#events.transmit(action.datagram);
      }
      next.resolve();
    }
    if (this.isIdle) for (const resolve of this.#idle.splice(0)) resolve();
    this.#arm();
  }

  /** The timer is set anew only for an earlier deadline; when it fires too early it goes on. */
  #arm(): void {
    const { deadline } = this.#sender;
    if (deadline === undefined) {
      clearTimeout(this.#timer);
      this.#timerAt = Number.POSITIVE_INFINITY;
      return;
    }
    if (deadline >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = deadline;
    this.#timer = setTimeout(() => this.#onTimer(), Math.max(0, deadline - performance.now()));
  }

  #onTimer(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    this.#perform(this.#sender.tick(performance.now()));
  }
}
