/** What a shell's pattern matches; without * and ? it may be anywhere in the name. */
export function optionPattern(pattern: string): RegExp {
  const source = pattern.toUpperCase().replace(/[.+^${}()|[\]\\]/g, '\\$&');
  if (!/[*?]/.test(source)) return new RegExp(source);
  return new RegExp(`^${source.replaceAll('*', '.*').replaceAll('?', '.')}$`);
}
