/** A moment as capture files have it. */
export interface Moment {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** Seconds between two moments with nine digits: `0.000034000`, `-1.500000000`. */
export function secondsBetween(from: Moment, to: Moment): string {
  const ns =
    BigInt(to.seconds - from.seconds) * 1_000_000_000n + BigInt(to.nanoseconds - from.nanoseconds);
  const digits = (ns < 0n ? -ns : ns).toString().padStart(10, '0');
  return `${ns < 0n ? '-' : ''}${digits.slice(0, -9)}.${digits.slice(-9)}`;
}

/** Seconds since 1970 with nine digits, as tshark's `frame.time_epoch`. */
export function epochText({ seconds, nanoseconds }: Moment): string {
  return `${seconds}.${String(nanoseconds).padStart(9, '0')}`;
}

/** ISO 8601 with nanoseconds, in UTC; the epoch's seconds where a date has no such year. */
export function isoText(moment: Moment): string {
  const date = new Date(moment.seconds * 1000);
  if (Number.isNaN(date.getTime())) return epochText(moment);
  const fraction = String(moment.nanoseconds).padStart(9, '0');
  return `${date.toISOString().slice(0, -5)}.${fraction}Z`;
}
