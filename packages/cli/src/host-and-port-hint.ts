import { isIPv6 } from 'node:net';

/** What to write for two words that are a host and a port, as nc takes them; else nothing. */
export function hostAndPortHint(args: readonly string[]): string {
  const at = args.findIndex(
    (word, index) =>
      index > 1 && isPort(word) && isHost(args[index - 1]) && !args[index - 2]?.startsWith('-'),
  );
  const [host = '', port] = at < 0 ? [] : args.slice(at - 1, at + 1);
  if (port === undefined) return '';
  const address = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
  return args[0] === 'ping'
    ? `; a port has no ping: sockeye connect --probe ${address}`
    : `; write ${address}`;
}

function isPort(word: string): boolean {
  return /^\d{1,5}$/.test(word) && Number(word) <= 65_535;
}

function isHost(word: string | undefined): boolean {
  return (
    word !== undefined &&
    (isIPv6(word) || /^(?!\d+$)[\p{L}\p{N}][\p{L}\p{M}\p{N}._-]*$/u.test(word))
  );
}
