import type { Socket } from '@sockeye/net';
import { type Endpoint, isConnectionless, keepsMessages } from '../address/address.ts';
import type { BenchOptions } from './bench-options.ts';
import { connectEndpoint } from './connect-endpoint.ts';
import { DatagramEcho } from './datagram-echo.ts';
import { DatagramReceive } from './datagram-receive.ts';
import { DatagramSend } from './datagram-send.ts';
import { Measurements } from './measurements.ts';
import { RunClock } from './run-clock.ts';
import { Schedule } from './schedule.ts';
import { StreamEcho } from './stream-echo.ts';
import { StreamReceive } from './stream-receive.ts';
import { StreamSend } from './stream-send.ts';
import type { Traffic, TrafficContext } from './traffic.ts';

// A server that takes long for a connection is not what is measured.
const CONNECT_TIMEOUT_MS = 10_000;
// As many at once as the shortest backlog in use takes (SOMAXCONN of old systems).
const CONNECTS_AT_ONCE = 128;

/** What a run has come to. */
export interface BenchRun {
  readonly measurements: Measurements;
  readonly measuredMs: number;
  readonly isInterrupted: boolean;
  /** Messages of the schedule that had no answer at the end. */
  readonly unanswered: number;
  /** Share of one processor that the client took: near 1 it measures itself. */
  readonly clientCpu: number;
}

export interface RunOptions extends BenchOptions {
  /** Ends the run early; what was measured until then counts. */
  readonly signal: AbortSignal;
  /** Called once the connections are there. */
  readonly onStart?: ((measurements: Measurements, clock: RunClock) => void) | undefined;
}

/**
 * Connects, exchanges messages for the time given, and says what that came to.
 *
 * @throws CommandError when it can't connect; the signal's reason when it is aborted before that
 */
export async function runBench(endpoint: Endpoint, options: RunOptions): Promise<BenchRun> {
  const sockets = await connectAll(endpoint, options);
  const cpu = process.cpuUsage();
  using clock = new RunClock(options.warmupMs, options.durationMs);
  const interrupt = (): void => clock.interrupt();
  options.signal.addEventListener('abort', interrupt, { once: true });
  const measurements = new Measurements(clock);
  options.onStart?.(measurements, clock);
  const traffics = await exchange(sockets, { endpoint, options, clock, measurements });
  options.signal.removeEventListener('abort', interrupt);
  const now = performance.now();
  const { user, system } = process.cpuUsage(cpu);
  return {
    measurements,
    measuredMs: clock.measuredMs(now),
    isInterrupted: clock.interruptedAt !== undefined,
    unanswered: traffics.reduce((sum, traffic) => sum + traffic.unanswered, 0),
    clientCpu: (user + system) / 1000 / (now - clock.startedAt),
  };
}

interface Exchange {
  readonly endpoint: Endpoint;
  readonly options: BenchOptions;
  readonly clock: RunClock;
  readonly measurements: Measurements;
}

async function exchange(sockets: readonly Socket<number>[], run: Exchange): Promise<Traffic[]> {
  const { options, clock, measurements } = run;
  const { rate, connections } = options;
  const schedule = rate === undefined ? undefined : new Schedule(rate, connections);
  const traffics = sockets.map((socket, connection) =>
    makeTraffic(run.endpoint, {
      socket,
      options,
      clock,
      measurements,
      keepsMessages: keepsMessages(run.endpoint.transport),
      dueAt: schedule && ((index) => schedule.dueAt(connection, index)),
    }),
  );
  let left = traffics.length;
  const ends = traffics.map(async (traffic, i) => {
    try {
      await traffic.run();
    } catch (error) {
      measurements.failed(error);
      // With nobody left there is nothing to wait for.
      if (--left === 0) clock.interrupt();
    } finally {
      sockets[i]?.close();
    }
  });
  await Promise.all([...ends, schedule?.run(traffics, clock)]);
  return traffics;
}

function makeTraffic({ transport }: Endpoint, context: TrafficContext): Traffic {
  const isDatagram = isConnectionless(transport);
  switch (context.options.mode) {
    case 'echo':
      return isDatagram ? new DatagramEcho(context) : new StreamEcho(context);
    case 'send':
      return isDatagram ? new DatagramSend(context) : new StreamSend(context);
    case 'receive':
      return isDatagram ? new DatagramReceive(context) : new StreamReceive(context);
    default:
      return context.options.mode satisfies never;
  }
}

async function connectAll(endpoint: Endpoint, options: RunOptions): Promise<Socket<number>[]> {
  const { connections, signal } = options;
  const sockets: Socket<number>[] = [];
  try {
    while (sockets.length < connections) {
      const count = Math.min(connections - sockets.length, CONNECTS_AT_ONCE);
      const settled = await Promise.allSettled(
        Array.from({ length: count }, () =>
          connectEndpoint(endpoint, { timeoutMs: CONNECT_TIMEOUT_MS, noDelay: true, signal }),
        ),
      );
      sockets.push(...settled.flatMap((one) => (one.status === 'fulfilled' ? one.value : [])));
      const failed = settled.find((one) => one.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    }
    return sockets;
  } catch (error) {
    for (const socket of sockets) socket.close();
    throw error;
  }
}
