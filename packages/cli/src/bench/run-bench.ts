import { Socket } from '@sockeye/net';
import { type Endpoint, isConnectionless, keepsMessages } from '../address/address.ts';
import { CONNECT_TIMEOUT_MS, openSocket, type OpenSocketOptions } from '../channel/open-socket.ts';
import { tlsClient } from '../channel/tls-client.ts';
import type { TlsSettings } from '../channel/tls-flags.ts';
import type { BenchOptions } from './bench-options.ts';
import { type BenchStream, TlsBenchStream } from './bench-stream.ts';
import type { BenchMode } from './bench-protocol.ts';
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
  /** How each connection is made. */
  readonly connect: OpenSocketOptions & { readonly tls: TlsSettings };
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

async function exchange(sockets: readonly BenchStream[], run: Exchange): Promise<Traffic[]> {
  const { options, clock, measurements } = run;
  const { rate, connections } = options;
  const schedule = rate === undefined ? undefined : new Schedule(rate, connections);
  const shared = { options, clock, measurements };
  const traffics = sockets.map((socket, connection) => {
    const dueAt = schedule && ((index: number) => schedule.dueAt(connection, index));
    const context = { ...shared, keepsMessages: keepsMessages(run.endpoint.transport), dueAt };
    return socket instanceof Socket && isConnectionless(run.endpoint.transport)
      ? makeDatagramTraffic(options.mode, { ...context, socket })
      : makeTraffic(options.mode, { ...context, socket });
  });
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

function makeTraffic(mode: BenchMode, context: TrafficContext<BenchStream>): Traffic {
  switch (mode) {
    case 'echo':
      return new StreamEcho(context);
    case 'send':
      return new StreamSend(context);
    case 'receive':
      return new StreamReceive(context);
    default:
      return mode satisfies never;
  }
}

function makeDatagramTraffic(mode: BenchMode, context: TrafficContext): Traffic {
  switch (mode) {
    case 'echo':
      return new DatagramEcho(context);
    case 'send':
      return new DatagramSend(context);
    case 'receive':
      return new DatagramReceive(context);
    default:
      return mode satisfies never;
  }
}

/** Small writes leave at once. */
async function connect(endpoint: Endpoint, options: RunOptions): Promise<BenchStream> {
  return await openSocket<BenchStream>(endpoint, options.connect, async (socket) => {
    if (endpoint.transport !== 'tls') return socket;
    const { tls } = options.connect;
    return new TlsBenchStream(await tlsClient(endpoint, socket, tls, CONNECT_TIMEOUT_MS));
  });
}

async function connectAll(endpoint: Endpoint, options: RunOptions): Promise<BenchStream[]> {
  const { connections } = options;
  const sockets: BenchStream[] = [];
  try {
    while (sockets.length < connections) {
      const count = Math.min(connections - sockets.length, CONNECTS_AT_ONCE);
      const settled = await Promise.allSettled(
        Array.from({ length: count }, () => connect(endpoint, options)),
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
