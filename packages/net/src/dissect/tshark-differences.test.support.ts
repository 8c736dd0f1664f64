// Every accepted difference from tshark, with its reason. A difference that no entry covers fails
// the comparison.

interface Explanation {
  readonly field: RegExp;
  /** `value`, `place`, `ours only`, `theirs only`, `layer`; absent: any. */
  readonly kind?: string;
  readonly ours?: RegExp;
  readonly theirs?: RegExp;
  readonly reason: string;
}

export const explanations: readonly Explanation[] = [];

export function isExplained(field: string, kind: string, ours: string, theirs: string): boolean {
  return explanations.some(
    (entry) =>
      entry.field.test(field) &&
      (entry.kind === undefined || entry.kind === kind) &&
      (entry.ours === undefined || entry.ours.test(ours)) &&
      (entry.theirs === undefined || entry.theirs.test(theirs)),
  );
}
