// What a client of `sockeye bench` may say to `sockeye bench --serve` before anything else. A server
// that knows nothing of it still works: in echo mode nothing is said.
//
//   sockeye-bench discard\n        take everything; at the end of the stream answer with
//   received BYTES\n               how much that was
//   sockeye-bench source SIZE\n    send messages of SIZE bytes until the connection closes
//
// A stream has its bytes in order, so that the client knows which of them were of its warm-up: the
// first. Datagrams get lost; those of the warm-up begin with WARM_UP_MARK and are not counted.
//
// Datagrams have no connection, and an address may be forged: whoever asks for datagrams, or for
// memory, first shows that it gets what is sent to its address. It repeats each line until the answer
// comes, since either may get lost.
//
//   sockeye-bench hello            → sockeye-bench cookie COOKIE
//   sockeye-bench discard COOKIE   → sockeye-bench ready
//   sockeye-bench report COOKIE    → sockeye-bench received DATAGRAMS BYTES
//   sockeye-bench source SIZE COOKIE    datagrams, until this has not come for SOURCE_LEASE_MS

/** What every line starts with. */
export const PREAMBLE = 'sockeye-bench ';

/** What the datagrams begin with that are not to be counted. */
export const WARM_UP_MARK = 'warm-up ';

/** The longest line: its number has at most 8 digits. */
export const MAX_LINE_BYTES = 64;

/** Most bytes of a message. */
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** Most bytes of a UDP datagram: 65,535 less the headers of IPv4 and UDP. */
export const MAX_UDP_BYTES = 65_507;

/** How long a server sends datagrams that nobody asks for any more. */
export const SOURCE_LEASE_MS = 500;

/** How a client asks for a mode, if it must. */
export type BenchMode = 'echo' | 'send' | 'receive';

/** What a line of a stream asks for. */
export type StreamRequest =
  | { readonly kind: 'discard' }
  | { readonly kind: 'source'; readonly size: number };

/** The line by which a stream asks for a mode; undefined for an echo. */
export function streamPreamble(mode: BenchMode, size: number): string | undefined {
  if (mode === 'echo') return undefined;
  return mode === 'send' ? `${PREAMBLE}discard\n` : `${PREAMBLE}source ${size}\n`;
}

/** Reads such a line, without its newline; undefined for anything else. */
export function readStreamRequest(line: string): StreamRequest | undefined {
  if (line === `${PREAMBLE}discard`) return { kind: 'discard' };
  const [, digits] = /^sockeye-bench source (\d{1,8})$/.exec(line) ?? [];
  const size = Number(digits);
  return size >= 1 && size <= MAX_MESSAGE_BYTES ? { kind: 'source', size } : undefined;
}

/** What a datagram asks for. */
export type DatagramRequest =
  | { readonly kind: 'hello' }
  | { readonly kind: 'discard' | 'report'; readonly cookie: string }
  | { readonly kind: 'source'; readonly cookie: string; readonly size: number };

/** Reads a datagram that is a request; undefined for one that is to be echoed or counted. */
export function readDatagramRequest(datagram: Buffer): DatagramRequest | undefined {
  if (
    datagram.length > MAX_LINE_BYTES ||
    datagram.subarray(0, 8).toString('latin1') !== 'sockeye-'
  ) {
    return undefined;
  }
  const [, kind, size, cookie = ''] =
    /^sockeye-bench (hello|discard|report|source)(?: (\d{1,8}))?(?: ([0-9a-f]{16}))?$/.exec(
      datagram.toString('latin1'),
    ) ?? [];
  if (kind === 'hello') return { kind };
  if (kind === 'discard' || kind === 'report') return { kind, cookie };
  if (kind === 'source') return { kind, cookie, size: Number(size ?? 0) };
  return undefined;
}
