/**
 * A filter that can't be understood, or that a link type can't have.
 *
 * Message: `Cannot read filter: FOUND at column N, expected WHAT`, columns from 1.
 */
export class FilterError extends Error {
  override readonly name = 'FilterError';
  readonly code = 'ERR_FILTER';
  readonly filter: string;
  /** Where what is wrong begins in the filter, from 0, in UTF-16 code units. */
  readonly start: number;
  /** Behind what is wrong; equal to `start` at the filter's end. */
  readonly end: number;
  readonly expected: string;

  constructor(filter: string, place: FilterPlace, expected: string) {
    const found =
      place.start < place.end ? JSON.stringify(filter.slice(place.start, place.end)) : 'end';
    super(`Cannot read filter: ${found} at column ${place.start + 1}, expected ${expected}`);
    this.filter = filter;
    this.start = place.start;
    this.end = place.end;
    this.expected = expected;
  }

  /** The filter with a line below it that marks the place. */
  get marked(): string {
    const marks = '^'.repeat(Math.max(1, this.end - this.start));
    return `${this.filter}\n${' '.repeat(this.start)}${marks}`;
  }
}

/** A range of the filter's text. */
export interface FilterPlace {
  readonly start: number;
  readonly end: number;
}
