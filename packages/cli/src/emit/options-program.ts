import type { Endpoint } from '../address/address.ts';
import type { SocketFlags } from '../channel/socket-settings.ts';
import {
  addressText,
  kindOf,
  literal,
  optionLines,
  sourceLine,
  withImports,
} from './source-text.ts';

export interface OptionsProgramFlags extends SocketFlags {
  readonly connect?: boolean;
}

/** `options`: every option of a socket with its value. */
export function optionsProgram(
  endpoint: Endpoint,
  flags: OptionsProgramFlags,
  pattern: string | undefined,
): string {
  const [family, type] = kindOf(endpoint, flags.connect ? 'client' : 'server');
  const connect = flags.connect
    ? `${flags.source === undefined ? '' : sourceLine(endpoint, flags.source)}await socket.connect(${addressText(endpoint, 'client')});\n`
    : '';
  const note = pattern === undefined ? '' : `// Left out: the pattern ${literal(pattern)}\n`;
  return `${note}${withImports(
    `const socket = new Socket(${family}, ${type});\n${optionLines('socket', flags)}${connect}` +
      'for (const { name, value } of socket.options.list()) console.log(name, value);\n' +
      'socket.close();\n',
  )}`;
}
