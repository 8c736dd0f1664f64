import { counted } from '../text/counted.ts';

const RATE_UNITS = ['B/s', 'kB/s', 'MB/s', 'GB/s', 'TB/s'] as const;

/** Whole, with commas. Without Intl, whose first use takes 10 ms. */
function grouped(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Three significant digits, with commas: `12.3`, `1,230`. */
function significant(value: number): string {
  if (value >= 100) return grouped(value);
  return value.toFixed(value >= 10 ? 1 : 2);
}

/** A throughput in decimal units, as networks count: `1.25 GB/s`. */
export function formatByteRate(bytesPerSecond: number): string {
  let value = bytesPerSecond;
  let unit = 0;
  // What would show as 1,000 of one unit is 1 of the next.
  while (value >= 999.5 && unit < RATE_UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${significant(value)} ${RATE_UNITS[unit]}`;
}

/** A latency: `850 ns`, `12.3 µs`, `1.50 ms`, `2.00 s`. */
export function formatLatency(ns: number): string {
  if (ns < 999.5) return `${Math.round(ns)} ns`;
  if (ns < 999_500) return `${significant(ns / 1e3)} µs`;
  return ns < 999_500_000 ? `${significant(ns / 1e6)} ms` : `${significant(ns / 1e9)} s`;
}

/** A count with commas. */
export function formatCount(value: number): string {
  return grouped(value);
}

/** A number with commas and its noun: `1 connection`, `1,000 connections`. */
export function formatCounted(count: number, noun: string): string {
  return counted(count, noun, undefined, formatCount);
}

/** A share: `0%`, `0.0012%`, `3.4%`. */
export function formatShare(share: number): string {
  return `${Number((share * 100).toPrecision(2))}%`;
}
