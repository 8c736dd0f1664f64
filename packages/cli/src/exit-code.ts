/** What the command's exit status says. */
export const EXIT = {
  ok: 0,
  /** The network, the peer or the system said no. */
  failed: 1,
  /** The command was typed wrong. */
  usage: 2,
  /** `--timeout` ran out, as timeout(1) says it. */
  deadline: 124,
  /** 128 and the signal's number, as a shell says it. */
  interrupted: 130,
  brokenPipe: 141,
  terminated: 143,
} as const;
