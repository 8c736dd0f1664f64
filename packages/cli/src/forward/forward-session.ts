import { proxyHeader } from '@sockeye/net/server';
import type { Endpoint } from '../address/address.ts';
import type { Channel } from '../channel/channel.ts';
import { openChannel, type OpenOptions } from '../channel/open-channel.ts';
import { type Tap, tapped } from '../channel/tapped-channel.ts';
import { LastAnswers } from '../connect/last-answers.ts';
import type { Connection } from './connection.ts';
import type { Session } from './stream-server.ts';
import { passResetOn } from './pass-reset-on.ts';
import { pump } from './pump.ts';

/** Where clients are forwarded to, and what is counted. */
export interface ForwardTarget {
  readonly endpoint: Endpoint;
  readonly open: OpenOptions;
  /** Tells the target whom it talks to, by the PROXY protocol of this version. */
  readonly proxyProtocol?: 1 | 2 | undefined;
  readonly totals: ForwardTotals;
  /** Who looks on at a client's bytes, by the client's name; undefined where nobody does. */
  readonly tap?: ((name: string) => Tap) | undefined;
}

/** What a forwarder has carried since it was started. */
export interface ForwardTotals {
  connections: number;
  /** Bytes from clients to the target, and back. */
  toTarget: number;
  toClients: number;
}

/** Joins each client to a connection of its own to the target. */
export function forwardSession(target: ForwardTarget): Session {
  return async (connection) => {
    target.totals.connections++;
    const { proxyProtocol: version } = target;
    const prologue =
      version === undefined ? undefined : proxyHeader(version, connection.remote, connection.local);
    using channel = await openChannel(target.endpoint, { ...target.open, prologue });
    const client = tapped(connection.channel, target.tap ? [target.tap(connection.name)] : []);
    await join(connection, client, channel, target.totals);
    connection.ended();
  };
}

async function join(
  connection: Connection,
  client: Channel,
  channel: Channel,
  totals: ForwardTotals,
): Promise<void> {
  const toTarget = pump(client, channel, (bytes) => {
    totals.toTarget += bytes;
    connection.account(bytes, 0);
  });
  const toClient = pump(channel, client, (bytes) => {
    totals.toClients += bytes;
    connection.account(0, bytes);
  });
  try {
    if (channel.isConnectionless) await untilQuiet(toTarget, toClient, channel);
    else await Promise.all([toTarget, toClient]);
  } catch (error) {
    // Both ends learn of it: a stream that was cut must not look like one that has ended.
    toTarget.catch(() => undefined);
    toClient.catch(() => undefined);
    await Promise.all([passResetOn(connection.channel), passResetOn(channel)]);
    throw error;
  }
}

/** A target of datagrams never ends: after the client's end it has some time for its answers. */
async function untilQuiet(
  toTarget: Promise<void>,
  toClient: Promise<void>,
  channel: Channel,
): Promise<void> {
  await Promise.race([toTarget, toClient]);
  await new Promise<void>((resolve) => new LastAnswers(undefined, resolve).ended(true));
  toClient.catch(() => undefined);
  channel[Symbol.dispose]();
}
