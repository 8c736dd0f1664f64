// A tunnel's idle time, as haproxy's documentation suggests for `timeout tunnel`: who forwards a
// login doesn't want it cut while nobody types. RFC 4787, REQ-5, asks for 2 minutes or more for UDP.

/** How long a forwarded connection may be silent, unless told otherwise. */
export const STREAM_IDLE_MS = 3_600_000;

/** How long a client of datagrams is remembered, unless told otherwise. */
export const DATAGRAM_IDLE_MS = 120_000;
