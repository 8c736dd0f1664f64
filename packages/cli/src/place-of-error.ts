import { basename, dirname } from 'node:path';

const OWN = dirname(import.meta.url);

/** Where in a module of the user's own it was thrown: ` (handler.mjs:3:9)`, or nothing. */
export function placeOfError(error: unknown): string {
  const frames = error instanceof Error ? (error.stack ?? '').split('\n') : [];
  const place = frames
    .map((frame) => /(file:\/\/\S+:\d+:\d+)\)?$/.exec(frame)?.[1])
    .find((url) => url !== undefined);
  // A module that was loaded again has its number behind its name.
  return place === undefined || place.startsWith(OWN)
    ? ''
    : ` (${basename(place.replace(/\?[^:]*/, ''))})`;
}
