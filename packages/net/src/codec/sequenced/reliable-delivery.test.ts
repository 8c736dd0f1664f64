import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type Random, xorshift } from '../codec-samples.test.util.ts';
import { ReliableReceiver } from './reliable-receiver.ts';
import { ReliableSender, type SenderAction } from './reliable-sender.ts';
import { decodeSequenced } from './sequenced-packet.ts';

interface Network {
  /** In percent, each way. */
  readonly loss: number;
  readonly duplication: number;
  /** Milliseconds beyond 10, at random: more than the interval reorders. */
  readonly jitter: number;
}

interface Event {
  readonly at: number;
  readonly datagram: Buffer;
  readonly toReceiver: boolean;
}

/** Two machines and a network between them, on a clock that jumps to whatever comes next. */
class Simulation {
  readonly delivered: number[] = [];
  transmissions = 0;
  acknowledged = 0;
  failed = false;
  now = 0;
  readonly #sender: ReliableSender;
  readonly #receiver: ReliableReceiver;
  #events: Event[] = [];
  readonly #network: Network;
  readonly #random: Random;

  constructor(network: Network, seed: number, firstSequence: number) {
    this.#network = network;
    this.#random = xorshift(seed);
    this.#sender = new ReliableSender({ stream: 1, firstSequence, maxRetransmissions: 50 });
    this.#receiver = new ReliableReceiver({ stream: 1, firstSequence });
  }

  run(count: number): void {
    for (let sent = 0; !this.failed; ) {
      for (; sent < count && this.#sender.ready; sent++) {
        const payload = Buffer.alloc(4);
        payload.writeUInt32BE(sent);
        this.#perform(this.#sender.send(payload, this.now));
      }
      if (sent === count && this.#sender.inFlight === 0) return;
      this.#step();
    }
  }

  #step(): void {
    this.#events = this.#events.toSorted((a, b) => a.at - b.at);
    const deadline = this.#sender.deadline ?? Infinity;
    const [event] = this.#events;
    if (event === undefined || event.at > deadline) {
      assert.notEqual(deadline, Infinity, 'nothing under way and no timer running');
      this.now = deadline;
      this.#perform(this.#sender.tick(this.now));
      return;
    }
    this.#events.shift();
    this.now = event.at;
    this.#arrive(event);
  }

  #arrive({ datagram, toReceiver }: Event): void {
    const packet = decodeSequenced(datagram);
    if (packet.type === 'ack') {
      assert.equal(toReceiver, false);
      this.#perform(this.#sender.receive(packet, this.now));
      return;
    }
    for (const action of this.#receiver.receive(packet)) {
      if (action.type === 'deliver')
        this.delivered.push(Buffer.from(action.payload).readUInt32BE());
      if (action.type === 'acknowledge') this.#transmit(action.datagram, false);
    }
  }

  #perform(actions: SenderAction[]): void {
    for (const action of actions) {
      if (action.type === 'failed') this.failed = true;
      if (action.type === 'acknowledged') this.acknowledged++;
      if (action.type !== 'transmit') continue;
      this.transmissions++;
      this.#transmit(action.datagram, true);
    }
  }

  #transmit(datagram: Buffer, toReceiver: boolean): void {
    const { loss, duplication, jitter } = this.#network;
    const copies = this.#random(100) < duplication ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (this.#random(100) < loss) continue;
      this.#events.push({ at: this.now + 10 + this.#random(jitter + 1), datagram, toReceiver });
    }
  }
}

test('ReliableSender and ReliableReceiver deliver everything once and in order over any network', () => {
  const networks = fc.record({
    loss: fc.integer({ min: 0, max: 50 }),
    duplication: fc.integer({ min: 0, max: 50 }),
    jitter: fc.integer({ min: 0, max: 100 }),
  });
  const seeds = fc.integer({ min: 1, max: 2 ** 31 });
  const firsts = fc.constantFrom(0, 0xffff_ffd0, 0x7fff_ffe0);
  fc.assert(
    fc.property(networks, seeds, firsts, (network, seed, first) => {
      const simulation = new Simulation(network, seed, first);
      simulation.run(100);
      assert.equal(simulation.failed, false);
      assert.deepEqual(
        simulation.delivered,
        Array.from({ length: 100 }, (_, index) => index),
      );
      assert.equal(simulation.acknowledged, 100);
    }),
    { numRuns: 200 },
  );
});

test('ReliableSender sends nothing twice over a network that loses nothing', () => {
  const simulation = new Simulation({ loss: 0, duplication: 0, jitter: 0 }, 1, 0);
  simulation.run(1000);
  assert.equal(simulation.transmissions, 1000);
  // 32 messages a round trip of 20 ms.
  assert.equal(simulation.now, Math.ceil(1000 / 32) * 20);
});

test('ReliableSender repairs single losses without waiting for the timer', () => {
  const simulation = new Simulation({ loss: 1, duplication: 0, jitter: 0 }, 3, 0);
  simulation.run(1000);
  assert.ok(simulation.transmissions < 1040, `${simulation.transmissions} transmissions`);
  assert.ok(simulation.now < 4000, `${simulation.now} ms`);
});

test('ReliableSender fails over a network that loses everything', () => {
  const simulation = new Simulation({ loss: 100, duplication: 0, jitter: 0 }, 1, 0);
  simulation.run(40);
  assert.equal(simulation.failed, true);
  assert.deepEqual(simulation.delivered, []);
});
