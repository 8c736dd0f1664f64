import type { TcpInfo } from '../socket/index.ts';
import type { MemoryInfo } from '../socket/options/memory-info.ts';

/** What holds a connection back. */
export type Limit =
  | 'application'
  | 'receiver window'
  | 'send buffer'
  | 'loss'
  | 'congestion'
  | 'pacing'
  | 'Nagle with delayed ACK'
  | 'nothing sent';

/** What limits a connection, in words and in figures. */
export interface Explanation {
  readonly limit: Limit;
  readonly sentence: string;
  /** What the sentence rests on: counts since the first sample, the rest as the last one has it. */
  readonly figures: ConnectionFigures;
}

/** The kernel's account of a connection at one moment. */
export interface TcpSample {
  /** Of a clock that doesn't go back, such as `performance.now()`. */
  readonly atMs: number;
  readonly info: TcpInfo;
  /** SO_MEMINFO; without it a send buffer that is too small may go unseen. */
  readonly memory?: MemoryInfo | undefined;
}

/** Shares are 0 to 1; what a kernel doesn't tell is 0. */
export interface ConnectionFigures {
  /** Between the first sample and the last; 0 where there is only one: then counts are of its whole life. */
  readonly watchedUs: number;
  /** Data was sent and not acknowledged, or waited to be sent. */
  readonly busyTimeUs: number;
  /** Of the busy time: the peer's window had no room. */
  readonly rwndLimitedUs: number;
  /** Of the busy time: the program waited for room in the send buffer, and nothing was left in it to send. */
  readonly sndbufLimitedUs: number;
  readonly bytesSent: number;
  readonly bytesAcked: number;
  readonly bytesReceived: number;
  readonly dataSegsOut: number;
  readonly totalRetransSegments: number;
  readonly rttUs: number;
  readonly minRttUs: number;
  readonly rtoUs: number;
  readonly sndCwndSegments: number;
  readonly sndMssBytes: number;
  readonly sndWndBytes: number;
  readonly unackedSegments: number;
  readonly notsentBytes: number;
  readonly deliveryRateBytesPerSecond: number;
  readonly maxPacingRateBytesPerSecond: number;
  /** Of the samples: less than a segment was held back while another was under way. */
  readonly heldShare: number;
  /** Of the samples: data waited, and the congestion window was full. */
  readonly windowFullShare: number;
  /** Of the samples: data waited to be sent. */
  readonly waitingShare: number;
  /** Of the samples: the send buffer had no room, and all that it held was under way. */
  readonly bufferFullShare: number;
  /** Of the samples: the kernel says that the rate it measured is the program's. */
  readonly appLimitedShare: number;
}

// Judgement, all arbitrary: a limit counts when it held for this part of the busy time or of the
// samples, loss from this part of the segments on and this many.
const MOSTLY = 0.25;
const LOSS_RATIO = 0.005;
const LOSS_SEGMENTS = 2;
// A program leaves a connection idle when data is under way for less than this part of the time.
const BUSY_SHARE = 0.5;
// How near to SO_MAX_PACING_RATE a rate is its doing.
const PACED_SHARE = 0.75;
// A peer's delayed ACK comes after 40 ms at least (TCP_DELACK_MIN of the kernel's net/tcp.h); half of
// that on top of the path's own time, since one segment in two waits for it.
const DELAYED_US = 15_000;
// TCP_CA_Loss of linux/tcp.h: the retransmission timer ran out.
const CA_LOSS = 4;

/**
 * Says in one sentence what limits a TCP connection: the application, the receiver's window, the
 * send buffer, loss, congestion, pacing, or Nagle's algorithm waiting for a delayed ACK.
 *
 * It is a judgement on the kernel's own accounts (busy, rwnd_limited, sndbuf_limited times,
 * retransmissions, delivery rate), and only about what this end sends. The accounts of time and
 * loss need two samples; what is held back at a moment shows in samples between them only: some
 * twenty in a second find Nagle's algorithm, congestion and pacing. One sample explains the
 * connection's whole life.
 *
 * @param samples at least one, oldest first
 * @throws RangeError without a sample
 * Source: tcp(7), linux/tcp.h, `tcp_get_info()` of the kernel's net/ipv4/tcp.c.
 *
 * @example
 * ```ts
 * using listener = createServer({ host: '127.0.0.1', port: 0 });
 * using client = await createConnection(listener.getsockname());
 * const sample = { atMs: performance.now(), info: client.options.get('TCP_INFO') };
 * assert.equal(explainConnection([sample]).limit, 'nothing sent');
 * ```
 */
export function explainConnection(samples: readonly TcpSample[]): Explanation {
  const last = samples.at(-1);
  if (last === undefined) throw new RangeError('Cannot explain a connection: no sample');
  const figures = figuresOf(samples, last);
  const limit = limitOf(last.info, figures);
  return { limit, sentence: sentenceOf(limit, last.info, figures), figures };
}

type CountName =
  | 'busyTimeUs'
  | 'rwndLimitedUs'
  | 'sndbufLimitedUs'
  | 'bytesSent'
  | 'bytesAcked'
  | 'bytesReceived'
  | 'dataSegsOut'
  | 'totalRetransSegments';

function figuresOf(samples: readonly TcpSample[], last: TcpSample): ConnectionFigures {
  const [first] = samples.length > 1 ? samples : [];
  const { info } = last;
  const since = (name: CountName): number => (info[name] ?? 0) - (first?.info[name] ?? 0);
  const share = (test: (info: TcpInfo, sample: TcpSample) => boolean): number =>
    samples.filter((sample) => test(sample.info, sample)).length / samples.length;
  return {
    watchedUs: first === undefined ? 0 : (last.atMs - first.atMs) * 1000,
    busyTimeUs: since('busyTimeUs'),
    rwndLimitedUs: since('rwndLimitedUs'),
    sndbufLimitedUs: since('sndbufLimitedUs'),
    bytesSent: since('bytesSent'),
    bytesAcked: since('bytesAcked'),
    bytesReceived: since('bytesReceived'),
    dataSegsOut: since('dataSegsOut'),
    totalRetransSegments: since('totalRetransSegments'),
    rttUs: info.rttUs,
    minRttUs: info.minRttUs ?? 0,
    rtoUs: info.rtoUs,
    sndCwndSegments: info.sndCwndSegments,
    sndMssBytes: info.sndMssBytes,
    sndWndBytes: info.sndWndBytes ?? 0,
    unackedSegments: info.unackedSegments,
    notsentBytes: info.notsentBytes ?? 0,
    deliveryRateBytesPerSecond: info.deliveryRateBytesPerSecond ?? 0,
    maxPacingRateBytesPerSecond: info.maxPacingRateBytesPerSecond ?? Number.POSITIVE_INFINITY,
    heldShare: share(isHeld),
    windowFullShare: share(isWindowFull),
    waitingShare: share(({ notsentBytes = 0 }) => notsentBytes > 0),
    bufferFullShare: share(isBufferFull),
    appLimitedShare: share(({ deliveryRateAppLimited }) => deliveryRateAppLimited),
  };
}

/** What Nagle's algorithm does (RFC 9293 3.7.4): less than a segment waits for an answer. */
function isHeld({ notsentBytes = 0, sndMssBytes, unackedSegments, sndCwndSegments }: TcpInfo) {
  const hasRoom = unackedSegments > 0 && unackedSegments < sndCwndSegments;
  return hasRoom && notsentBytes > 0 && notsentBytes < sndMssBytes;
}

function isWindowFull(info: TcpInfo): boolean {
  const { unackedSegments, sackedSegments, lostSegments, retransSegments } = info;
  const inFlight = unackedSegments - sackedSegments - lostSegments + retransSegments;
  return (info.notsentBytes ?? 0) > 0 && inFlight >= info.sndCwndSegments;
}

/**
 * The kernel's own account (sndbuf_limited) begins only when a send finds the buffer full after a
 * part of it was queued; a program that fills the buffer with one segment escapes it.
 */
function isBufferFull({ notsentBytes = 0, unackedSegments }: TcpInfo, { memory }: TcpSample) {
  if (memory === undefined || notsentBytes > 0 || unackedSegments === 0) return false;
  const { wmemQueuedBytes, sndbufBytes } = memory;
  // A program that waits for room is woken when a third of the buffer is free (net/sock.h,
  // sk_stream_min_wspace).
  return sndbufBytes - wmemQueuedBytes < wmemQueuedBytes / 2;
}

function limitOf(info: TcpInfo, figures: ConnectionFigures): Limit {
  const { busyTimeUs, dataSegsOut, notsentBytes, unackedSegments } = figures;
  const part = (us: number): number => (busyTimeUs > 0 ? us / busyTimeUs : 0);
  if (dataSegsOut === 0 && notsentBytes === 0 && unackedSegments === 0) return 'nothing sent';
  // The window is closed now, whatever the accounts say.
  const isClosed = info.probes > 0 || (info.sndWndBytes === 0 && notsentBytes > 0);
  if (isClosed) return 'receiver window';
  // Before the window's share: what is lost fills the window too.
  if (info.caState === CA_LOSS && info.retransmits > 0) return 'loss';
  if (part(figures.rwndLimitedUs) >= MOSTLY) return 'receiver window';
  if (isLossy(figures)) return 'loss';
  if (figures.heldShare >= MOSTLY && isDelayed(figures)) return 'Nagle with delayed ACK';
  const isBufferShort = part(figures.sndbufLimitedUs) >= MOSTLY;
  if (isBufferShort || figures.bufferFullShare >= MOSTLY) return 'send buffer';
  if (isPaced(figures)) return 'pacing';
  return isCongested(figures) ? 'congestion' : 'application';
}

function isLossy({ totalRetransSegments, dataSegsOut }: ConnectionFigures): boolean {
  return (
    totalRetransSegments >= LOSS_SEGMENTS &&
    totalRetransSegments / Math.max(1, dataSegsOut) >= LOSS_RATIO
  );
}

/** Answers take longer than the path does, by what a peer that delays its ACKs adds. */
function isDelayed({ busyTimeUs, dataSegsOut, rttUs, minRttUs }: ConnectionFigures): boolean {
  const perSegment = busyTimeUs / Math.max(1, dataSegsOut);
  return Math.max(perSegment, rttUs) >= minRttUs + DELAYED_US;
}

function isPaced(figures: ConnectionFigures): boolean {
  const { maxPacingRateBytesPerSecond, waitingShare } = figures;
  return waitingShare >= MOSTLY && rateOf(figures) >= PACED_SHARE * maxPacingRateBytesPerSecond;
}

/** Data is there all the time, and it waits for the network. */
function isCongested(figures: ConnectionFigures): boolean {
  const { busyTimeUs, watchedUs, windowFullShare, waitingShare, appLimitedShare } = figures;
  if (watchedUs > 0 && busyTimeUs / watchedUs < BUSY_SHARE) return false;
  return windowFullShare >= MOSTLY || waitingShare > Math.max(BUSY_SHARE, appLimitedShare);
}

/** Bytes that arrived a second. */
function rateOf({ watchedUs, bytesAcked, deliveryRateBytesPerSecond }: ConnectionFigures): number {
  return watchedUs > 0 ? (bytesAcked / watchedUs) * 1e6 : deliveryRateBytesPerSecond;
}

function sentenceOf(limit: Limit, info: TcpInfo, figures: ConnectionFigures): string {
  const { watchedUs, busyTimeUs, dataSegsOut, notsentBytes, totalRetransSegments } = figures;
  const when = watchedUs > 0 ? `in ${(watchedUs / 1e6).toFixed(2)} s` : 'since it began';
  const of = (us: number): string =>
    `${percent(us / Math.max(1, busyTimeUs))} of ${ms(busyTimeUs)}`;
  const arrived = `${(rateOf(figures) / 1e6).toFixed(3)} MB/s arrived`;
  switch (limit) {
    case 'nothing sent':
      return figures.bytesReceived === 0
        ? `This end sent no data ${when}: nothing limits it.`
        : `This end sent no data ${when}, ${figures.bytesReceived} bytes came in: what limits those is to be asked where they are sent.`;
    case 'receiver window':
      return `The receiver's window limits it: ${of(figures.rwndLimitedUs)} with data to send went by waiting for the peer to read; its window is ${figures.sndWndBytes} bytes, ${notsentBytes} bytes wait.`;
    case 'send buffer':
      return `The send buffer limits it: in ${percent(figures.bufferFullShare)} of the samples, by the kernel's account for ${of(figures.sndbufLimitedUs)} with data to send, all of it was under way and there was no room for more (SO_SNDBUF); ${arrived}.`;
    case 'loss':
      return `Loss limits it: ${totalRetransSegments} segments of ${dataSegsOut} were sent again ${when}${inVain(info)}; rtt ${ms(figures.rttUs)}, ${arrived}.`;
    case 'congestion':
      return `The network limits it: the congestion window of ${figures.sndCwndSegments} segments was full in ${percent(figures.windowFullShare)} of the samples, rtt ${ms(figures.rttUs)} where ${ms(figures.minRttUs)} is possible; ${arrived}.`;
    case 'pacing':
      return `Pacing limits it: SO_MAX_PACING_RATE allows ${(figures.maxPacingRateBytesPerSecond / 1e6).toFixed(3)} MB/s, and ${arrived}.`;
    case 'Nagle with delayed ACK':
      return `Nagle's algorithm and the peer's delayed ACK limit it: in ${percent(figures.heldShare)} of the samples less than a segment was held back until an answer came, ${ms(busyTimeUs / Math.max(1, dataSegsOut))} a segment where ${ms(figures.minRttUs)} is possible (TCP_NODELAY, or one write a message).`;
    case 'application':
      return `The application limits it: data was under way for ${ms(busyTimeUs)} ${when}, ${figures.bytesSent} bytes in ${dataSegsOut} segments, rtt ${ms(figures.rttUs)}; mostly there was nothing more to send.`;
    default:
      return limit satisfies never;
  }
}

function inVain({ retransmits, rtoUs }: TcpInfo): string {
  return retransmits === 0
    ? ''
    : `, the last one ${retransmits} times without an answer, the next time after ${ms(rtoUs)}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

function ms(us: number): string {
  return `${(us / 1000).toFixed(3)} ms`;
}
