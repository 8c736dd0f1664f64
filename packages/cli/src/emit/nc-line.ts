import { formatDuration } from '../duration.ts';
import type { Emitted } from './emit.ts';
import { shellWord } from './shell-word.ts';
import { sourceParts } from './source-text.ts';

/** The same with OpenBSD's nc; undefined where it can't. */
export function ncLine({ command, endpoint, flags }: Emitted): string | undefined {
  if (command !== 'connect' && command !== 'listen') return undefined;
  if ((flags.option ?? []).length > 0) return undefined;
  if (flags.frame !== undefined || (command === 'listen' && flags.crlf)) return undefined;
  const words = [
    'nc',
    ...(command === 'listen' ? ['-l'] : []),
    ...(flags.keep ? ['-k'] : []),
    ...(flags.shutdown === false ? [] : ['-N']),
    ...(flags.crlf ? ['-C'] : []),
    ...(flags.timeout === undefined || !Number.isFinite(flags.timeout)
      ? []
      : ['-w', String(Math.ceil(Number(formatSeconds(flags.timeout))))]),
  ];
  if (!('path' in endpoint)) words.push(...sourceWords(flags.source));
  switch (endpoint.transport) {
    case 'tcp':
    case 'udp': {
      if (endpoint.transport === 'udp') words.push('-u');
      const host = endpoint.host || (command === 'listen' ? [] : '127.0.0.1');
      return [...words, ...[host].flat(), String(endpoint.port)].map(shellWord).join(' ');
    }
    case 'unix':
    case 'unix-dgram':
      if (endpoint.path.startsWith('\0')) return undefined;
      if (endpoint.transport === 'unix-dgram') words.push('-u');
      return [...words, '-U', endpoint.path].map(shellWord).join(' ');
    case 'tls':
    case 'unix-seqpacket':
    case 'vsock':
      return undefined;
    default:
      return endpoint satisfies never;
  }
}

/** Where it comes from. */
function sourceWords(source: string | undefined): string[] {
  if (source === undefined) return [];
  const { host, port } = sourceParts(source);
  return [...(host === '' ? [] : ['-s', host]), ...(port === 0 ? [] : ['-p', String(port)])];
}

function formatSeconds(ms: number): string {
  return formatDuration(Math.max(ms, 1000)).replace(/s$/, '');
}
