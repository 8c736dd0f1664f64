import type { Command } from 'commander';
import { type Endpoint, isConnectionless, keepsMessages } from '../address/address.ts';
import type { OptionSetting } from '../channel/socket-settings.ts';
import type { TlsFlags } from '../channel/tls-flags.ts';
import type { EmittedFrame } from '../frame/frame-codec.ts';
import type { Access } from '../serve/access.ts';
import { forwardProgram } from './forward-program.ts';
import { ncLine } from './nc-line.ts';
import { serveProgram } from './serve-program.ts';
import { socatLine } from './socat-line.ts';
import { stdioProgram } from './stdio-program.ts';

/** The flags that make a difference to what is printed. */
export interface EmitFlags extends TlsFlags, Access {
  readonly shutdown?: boolean | undefined;
  readonly crlf?: boolean | undefined;
  readonly keep?: boolean | undefined;
  readonly source?: string | undefined;
  readonly option?: readonly OptionSetting[] | undefined;
  readonly timeout?: number | undefined;
  readonly greeting?: string | undefined;
  readonly hello?: string | undefined;
  readonly reply?: string | undefined;
  readonly chat?: boolean | undefined;
  readonly random?: boolean | undefined;
  readonly discard?: boolean | undefined;
  readonly module?: string | undefined;
  readonly proxyProtocol?: 1 | 2 | undefined;
  readonly acceptProxyProtocol?: unknown;
  readonly frame?: EmittedFrame | undefined;
  readonly hex?: boolean | undefined;
  readonly record?: string | undefined;
  readonly replay?: string | undefined;
  readonly quit?: string | undefined;
  readonly json?: boolean | undefined;
  readonly maxConnections?: number | undefined;
  /** Milliseconds, as those that follow. */
  readonly firstByteTimeout?: number | undefined;
  readonly idleTimeout?: number | undefined;
  readonly writeTimeout?: number | undefined;
  readonly drain?: number | undefined;
}

/** A command to be told in other words. */
export interface Emitted {
  readonly command: 'connect' | 'listen' | 'forward' | 'serve';
  readonly endpoint: Endpoint;
  /** Where `forward` goes to. */
  readonly target?: Endpoint;
  readonly flags: EmitFlags;
}

// What the printed program leaves out: it would hide what the program shows.
const LEFT_OUT = {
  frame: '--frame',
  hex: '--hex',
  record: '--record',
  replay: '--replay',
  quit: '--quit',
  json: '--json',
  timeout: '--timeout',
  acceptProxyProtocol: '--accept-proxy-protocol',
  ignoreUnexpectedEof: '--ignore-unexpected-eof',
} as const;

/** Adds --emit. */
export function addEmitFlag(command: Command): Command {
  return command.option(
    '--emit',
    'print the TypeScript that does the same, and socat’s and nc’s line',
  );
}

/** Prints a command as TypeScript with types that can be erased, below socat's and nc's line. */
export function emit(emitted: Emitted): void {
  process.stdout.write(emittedText(emitted));
}

/** The program with its comments. */
export function emittedText(emitted: Emitted): string {
  const lines = [socatLine(emitted), ncLine(emitted)].flatMap((line) =>
    line === undefined ? [] : `// ${line}\n`,
  );
  const { flags } = emitted;
  const missing = Object.entries(LEFT_OUT).flatMap(([name, typed]) =>
    [undefined, false].includes(Reflect.get(flags, name)) || isShown(name, emitted) ? [] : typed,
  );
  const note = missing.length === 0 ? '' : `// Left out: ${missing.join(', ')}\n`;
  return `${lines.join('')}${note}${programOf(emitted)}`;
}

/** Whether the program has what is left out elsewhere: messages, where one socket carries bytes. */
function isShown(flag: string, { command, endpoint: { transport } }: Emitted): boolean {
  const isStdio = command === 'connect' || command === 'listen';
  return flag === 'frame' && isStdio && !isConnectionless(transport) && !keepsMessages(transport);
}

function programOf(emitted: Emitted): string {
  switch (emitted.command) {
    case 'connect':
    case 'listen':
      return stdioProgram(emitted);
    case 'serve':
      return serveProgram(emitted);
    case 'forward':
      return forwardProgram(emitted);
    default:
      return emitted.command satisfies never;
  }
}
