import { SocketError, TimeoutError } from '@sockeye/net';
import { proxyHeader } from '@sockeye/net/server';
import type { Endpoint } from '../address/address.ts';
import type { Channel } from '../channel/channel.ts';
import { openChannel, type OpenOptions } from '../channel/open-channel.ts';
import { SocketChannel } from '../channel/socket-channel.ts';
import { TlsChannel } from '../channel/tls-channel.ts';
import { CommandError } from '../command-error.ts';
import { LastAnswers } from '../connect/last-answers.ts';
import { reasonOf } from '../explain-error.ts';
import type { Conversation, Session } from '../serve/conversation.ts';
import type { Reporter } from '../serve/reporter.ts';
import { closeWithReset } from './close-with-reset.ts';
import { pump } from './pump.ts';

/** Where clients are forwarded to, and what is counted. */
export interface ForwardTarget {
  readonly endpoint: Endpoint;
  readonly open: OpenOptions;
  /** Tells the target whom it talks to, by the PROXY protocol of this version. */
  readonly proxyProtocol?: 1 | 2 | undefined;
  readonly totals: ForwardTotals;
}

/** What a forwarder has carried since it was started. */
export interface ForwardTotals {
  connections: number;
  /** Bytes from clients to the target, and back. */
  toTarget: number;
  toClients: number;
}

/** Joins each client to a connection of its own to the target. */
export function forwardSession(target: ForwardTarget, reporter: Reporter): Session {
  return async (client) => {
    target.totals.connections++;
    try {
      using channel = await openTarget(target, client, reporter);
      await join(client, channel, target.totals);
    } catch (error) {
      // It ended by itself: a deadline, or the server's end.
      if (client.signal.aborted) throw error;
      // A stream that was cut must not look like one that has ended.
      await closeWithReset(client.socket, () => client.connection.close());
      if (isOfNetwork(error)) client.close(reasonOf(error));
      throw error;
    }
  };
}

async function openTarget(
  { endpoint, open, proxyProtocol: version }: ForwardTarget,
  client: Conversation,
  reporter: Reporter,
): Promise<Channel> {
  const prologue =
    version === undefined ? undefined : proxyHeader(version, client.remote, client.local);
  try {
    return await openChannel(endpoint, { ...open, prologue });
  } catch (error) {
    if (error instanceof CommandError) reporter.warn('target', error.message);
    throw error;
  }
}

async function join(client: Conversation, target: Channel, totals: ForwardTotals): Promise<void> {
  const toTarget = pump(client.channel, target, (bytes) => void (totals.toTarget += bytes));
  const toClient = pump(target, client.channel, (bytes) => void (totals.toClients += bytes));
  try {
    if (target.isConnectionless) await untilQuiet(toTarget, toClient, target);
    else await Promise.all([toTarget, toClient]);
  } catch (error) {
    toTarget.catch(() => undefined);
    toClient.catch(() => undefined);
    if (target instanceof SocketChannel || target instanceof TlsChannel) {
      // The socket itself: TLS would say close_notify, with which a stream is whole.
      await closeWithReset(target.socket, () => target.socket.close());
    }
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

/** What a peer, the network or TLS did; all else is a fault of ours. */
function isOfNetwork(error: unknown): boolean {
  if (error instanceof SocketError || error instanceof CommandError) return true;
  if (error instanceof TimeoutError) return true;
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}
