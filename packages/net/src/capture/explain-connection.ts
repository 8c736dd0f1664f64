import type { TcpInfo } from '../socket/index.ts';

/** What holds a connection back. */
export type Limit =
  | 'application'
  | 'receiver window'
  | 'send buffer'
  | 'loss'
  | 'congestion'
  | 'Nagle with delayed ACK'
  | 'nothing sent';

/** What limits a connection, in words and in figures. */
export interface Explanation {
  readonly limit: Limit;
  readonly sentence: string;
  /** What the sentence rests on; times in microseconds, counts as TCP_INFO has them. */
  readonly figures: Readonly<Record<string, number>>;
}

/** What is known of a connection beside TCP_INFO. */
export interface ExplainOptions {
  /** TCP_INFO some time before: then the time since is explained, not the whole life. */
  readonly before?: TcpInfo | undefined;
  /** Bytes that the peer has not acknowledged, from `listSockets()`. */
  readonly sendQueue?: number | undefined;
}

// Judgement, all arbitrary: a limit counts when it held for this part of the busy time, loss from
// this part of the segments on, and an application is slow when it kept the connection idle for
// more than half of the time that we watched.
const MOSTLY = 0.25;
const LOSS_RATIO = 0.005;
// tcp(7): delayed ACKs wait 40 ms at least (TCP_DELACK_MIN of the kernel's net/tcp.h).
const DELAYED_ACK_US = 40_000;

/**
 * Says in one sentence what limits a TCP connection: the application, the receiver's window, the
 * send buffer, loss, congestion, or Nagle's algorithm waiting for a delayed ACK.
 *
 * It is a judgement on the kernel's own accounts (busy, rwnd_limited, sndbuf_limited times,
 * retransmissions, delivery rate), and only about what this end sends.
 *
 * @example
 * ```ts
 * using listener = createServer({ host: '127.0.0.1', port: 0 });
 * using client = await createConnection(listener.getsockname());
 * assert.equal(explainConnection(client.options.get('TCP_INFO')).limit, 'nothing sent');
 * ```
 */
export function explainConnection(info: TcpInfo, options: ExplainOptions = {}): Explanation {
  const { before, sendQueue = 0 } = options;
  const since = (name: CountName): number => (info[name] ?? 0) - (before?.[name] ?? 0);
  const busyUs = since('busyTimeUs');
  const figures = {
    busyTimeUs: busyUs,
    rwndLimitedUs: since('rwndLimitedUs'),
    sndbufLimitedUs: since('sndbufLimitedUs'),
    bytesSent: since('bytesSent'),
    bytesAcked: since('bytesAcked'),
    dataSegsOut: since('dataSegsOut'),
    totalRetransSegments: since('totalRetransSegments'),
    rttUs: info.rttUs,
    minRttUs: info.minRttUs ?? 0,
    sndCwndSegments: info.sndCwndSegments,
    sndMssBytes: info.sndMssBytes,
    unackedSegments: info.unackedSegments,
    notsentBytes: info.notsentBytes ?? 0,
    deliveryRateBytesPerSecond: info.deliveryRateBytesPerSecond ?? 0,
    sendQueue,
  };
  const limit = limitOf(info, figures);
  return { limit, sentence: sentenceOf(limit, figures), figures };
}

type CountName =
  | 'busyTimeUs'
  | 'rwndLimitedUs'
  | 'sndbufLimitedUs'
  | 'bytesSent'
  | 'bytesAcked'
  | 'dataSegsOut'
  | 'totalRetransSegments';

type Figures = Readonly<Record<string, number>>;

function limitOf(info: TcpInfo, figures: Figures): Limit {
  const of = (name: string): number => figures[name] ?? 0;
  const busy = of('busyTimeUs');
  const part = (name: string): number => (busy > 0 ? of(name) / busy : 0);
  // The window is closed now, whatever the accounts say.
  if (info.probes > 0 || (info.sndWndBytes === 0 && of('sendQueue') > 0)) return 'receiver window';
  if (of('dataSegsOut') === 0 && of('sendQueue') === 0) return 'nothing sent';
  if (part('rwndLimitedUs') >= MOSTLY) return 'receiver window';
  if (isNagle(of)) return 'Nagle with delayed ACK';
  if (of('totalRetransSegments') / Math.max(1, of('dataSegsOut')) >= LOSS_RATIO) return 'loss';
  if (part('sndbufLimitedUs') >= MOSTLY) return 'send buffer';
  const isFull = info.unackedSegments >= info.sndCwndSegments || of('notsentBytes') > 0;
  return isFull && !info.deliveryRateAppLimited ? 'congestion' : 'application';
}

/** Less than a segment waits, one is under way, and answers take as long as a delayed ACK. */
function isNagle(of: (name: string) => number): boolean {
  const notSent = of('notsentBytes');
  const isWaiting = notSent > 0 && notSent < of('sndMssBytes') && of('unackedSegments') > 0;
  const isDelayed = of('rttUs') >= DELAYED_ACK_US && of('minRttUs') < of('rttUs') / 4;
  return (
    isWaiting ||
    (isDelayed && of('bytesSent') / Math.max(1, of('dataSegsOut')) < of('sndMssBytes') / 2)
  );
}

function sentenceOf(limit: Limit, figures: Figures): string {
  const of = (name: string): number => figures[name] ?? 0;
  const percent = (name: string): string =>
    `${((100 * of(name)) / Math.max(1, of('busyTimeUs'))).toFixed(0)} %`;
  const ms = (name: string): string => `${(of(name) / 1000).toFixed(3)} ms`;
  switch (limit) {
    case 'nothing sent':
      return 'This end has sent no data: nothing limits it.';
    case 'receiver window':
      return `The receiver's window limits it: ${percent('rwndLimitedUs')} of ${ms('busyTimeUs')} with data to send went by waiting for the peer to read, ${of('sendQueue')} bytes wait.`;
    case 'send buffer':
      return `The send buffer limits it: it was too small for ${percent('sndbufLimitedUs')} of ${ms('busyTimeUs')} with data to send (SO_SNDBUF).`;
    case 'loss':
      return `Loss limits it: ${of('totalRetransSegments')} of ${of('dataSegsOut')} segments were sent again, rtt ${ms('rttUs')}.`;
    case 'congestion':
      return `The network limits it: the congestion window of ${of('sndCwndSegments')} segments is full, ${of('unackedSegments')} are under way, rtt ${ms('rttUs')}, ${(of('deliveryRateBytesPerSecond') / 1e6).toFixed(3)} MB/s arrive.`;
    case 'Nagle with delayed ACK':
      return `Nagle's algorithm and the peer's delayed ACK limit it: ${of('notsentBytes')} bytes wait for an answer that takes ${ms('rttUs')} where ${ms('minRttUs')} is possible (TCP_NODELAY).`;
    case 'application':
      return `The application limits it: data waited to be acknowledged for only ${ms('busyTimeUs')}, ${of('bytesSent')} bytes in ${of('dataSegsOut')} segments, rtt ${ms('rttUs')}; there was nothing more to send.`;
    default:
      return limit satisfies never;
  }
}
