/** An argument as an untyped caller gives it: any type, whatever is expected. */
export function wrongArgument(value: unknown): never {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- that is what it is for
  return value as never;
}
