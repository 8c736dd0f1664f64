/**
 * A count with its noun, as one says it.
 *
 * @param plural where it is more than an s; default `${name}s`
 * @param format of the count; default as it is
 * @example
 * assert.equal(counted(1, 'byte'), '1 byte');
 * assert.equal(counted(0, 'reply', 'replies'), '0 replies');
 */
export function counted(
  count: number,
  name: string,
  plural: string = `${name}s`,
  format: (count: number) => string = String,
): string {
  return `${format(count)} ${count === 1 ? name : plural}`;
}
