import { formatDuration } from '../duration.ts';
import type { Emitted } from './emit.ts';
import { shellWord } from './shell-word.ts';

/** The same with OpenBSD's nc; undefined where it can't. */
export function ncLine({ command, endpoint, flags }: Emitted): string | undefined {
  if (command !== 'connect' && command !== 'listen') return undefined;
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
  const source = /^([^:]+)(?::(\d+))?$/.exec(flags.source ?? '');
  if (flags.source !== undefined && source === null) return undefined;
  if (source?.[1] !== undefined) words.push('-s', source[1]);
  if (source?.[2] !== undefined) words.push('-p', source[2]);
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

function formatSeconds(ms: number): string {
  return formatDuration(Math.max(ms, 1000)).replace(/s$/, '');
}
