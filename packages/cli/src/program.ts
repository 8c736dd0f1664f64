import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addBenchCommand } from './bench/bench-command.ts';
import { addCompletionCommand } from './completion/completion-command.ts';
import { addConnectCommand } from './connect/connect-command.ts';
import { addPingCommand } from './ping/ping-command.ts';
import { addCaptureCommand } from './packets/capture-command.ts';
import { addExplainCommand } from './packets/explain-command.ts';
import { addSocketsCommand } from './packets/sockets-command.ts';
import { addReadCommand } from './packets/read-command.ts';
import { addForwardCommand } from './forward/forward-command.ts';
import { addListenCommand } from './listen/listen-command.ts';
import { addOptionsCommand } from './options/options-command.ts';
import type { ProgramHooks } from './program-hooks.ts';
import { addServeCommand } from './serve/serve-command.ts';
import { addTransferCommands } from './transfer/transfer-commands.ts';

const EXAMPLES = `
Examples:
  sockeye serve                               an echo server on 127.0.0.1:8090
  sockeye connect 127.0.0.1:8090              talk to it
  sockeye listen :9000 > file                 what one peer sends
  sockeye forward :8080 unix:///run/app.sock  join any two kinds of sockets
  sockeye serve --help                        all that a server can do

Addresses:
  host:port  :port  [::1]:port  tcp://host:port  udp://host:port  tls://host:port
  unix:///path  unix-dgram:///path  unix-seqpacket:///path  unix:@abstract  vsock://cid:port`;

/** The command with all its subcommands. */
export function makeProgram(hooks: ProgramHooks): Command {
  const program = new Command('sockeye')
    .description("Servers and clients on the operating system's sockets.")
    .version(ownVersion(), '-V, --version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .addHelpText('after', EXAMPLES)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(oneLine(text)) })
    .showSuggestionAfterError();
  addServeCommand(program, hooks);
  addConnectCommand(program, hooks);
  addListenCommand(program, hooks);
  addForwardCommand(program, hooks);
  addPingCommand(program, hooks);
  addBenchCommand(program, hooks);
  addOptionsCommand(program, hooks);
  addCaptureCommand(program, hooks);
  addExplainCommand(program, hooks);
  addSocketsCommand(program, hooks);
  addReadCommand(program, hooks);
  addTransferCommands(program, hooks);
  addCompletionCommand(program, hooks);
  return program;
}

/** Commander puts its suggestion on a second line. */
function oneLine(text: string): string {
  return `sockeye: ${text
    .trim()
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ')}\n`;
}

function ownVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const { version }: { version: string } = JSON.parse(text);
  return version;
}
