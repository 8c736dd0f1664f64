import type { Endpoint } from '../address/address.ts';
import type { SocketFlags } from '../channel/socket-settings.ts';
import { optionPattern } from '../options/option-pattern.ts';
import { addressText, kindOf, optionLines, sourceLine, withImports } from './source-text.ts';

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
  const filter =
    pattern === undefined
      ? ''
      : `.filter(({ name }) => ${String(optionPattern(pattern))}.test(name))`;
  return withImports(
    `const socket = new Socket(${family}, ${type});\n${optionLines('socket', flags)}${connect}` +
      `for (const { name, value } of socket.options.list()${filter}) console.log(name, value);\n` +
      'socket.close();\n',
  );
}
