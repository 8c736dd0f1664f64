import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { hostAndPortHint } from './host-and-port-hint.ts';
import type { ProgramHooks } from './program-hooks.ts';

type AddCommands = (program: Command, hooks: ProgramHooks) => void;

interface CommandModule {
  readonly names: readonly string[];
  readonly load: () => Promise<AddCommands>;
}

/** From the files that the build made of what these commands load (scripts/bundle-commands.mjs). */
function bundled(name: string, file: string): () => Promise<AddCommands> {
  return async () => {
    const module = (await import(`./bundle/${file}.js`)) as Record<string, AddCommands>;
    const add = module[name];
    if (add === undefined)
      throw new Error(`dist/bundle/${file}.js has no ${name}; npm run build makes it anew`);
    return add;
  };
}

// In the order of the help. All of them are some 600 files, which takes node longer to load than it
// takes to start; so only the module of the command that runs is loaded.
const MODULES: readonly CommandModule[] = [
  {
    names: ['serve'],
    load: async () => (await import('./serve/serve-command.ts')).addServeCommand,
  },
  { names: ['connect'], load: bundled('addConnectCommand', 'connect-command') },
  { names: ['listen'], load: bundled('addListenCommand', 'listen-command') },
  { names: ['forward'], load: bundled('addForwardCommand', 'forward-command') },
  { names: ['ping'], load: bundled('addPingCommand', 'ping-command') },
  { names: ['bench'], load: bundled('addBenchCommand', 'bench-command') },
  { names: ['options'], load: bundled('addOptionsCommand', 'options-command') },
  { names: ['capture'], load: bundled('addCaptureCommand', 'capture-command') },
  { names: ['explain'], load: bundled('addExplainCommand', 'explain-command') },
  { names: ['sockets'], load: bundled('addSocketsCommand', 'sockets-command') },
  { names: ['read'], load: bundled('addReadCommand', 'read-command') },
  {
    names: ['send', 'receive', 'verify'],
    load: async () => {
      // Before there is anything to collect.
      (await import('./transfer/v8-mode.ts')).keepHeapSmall();
      return bundled('addTransferCommands', 'transfer-commands')();
    },
  },
];

const EXAMPLES = `
Examples:
  sockeye serve                               an echo server on 127.0.0.1:8090
  sockeye connect 127.0.0.1:8090              talk to it
  sockeye listen :9000 > file                 what one peer sends
  sockeye forward :8080 unix:///run/app.sock  join any two kinds of sockets
  sockeye serve --help                        all that a server can do

Addresses:
  host:port  :port  [::1]:port  tcp://host:port  udp://host:port  tls://host:port
  unix:///path  unix-dgram:///path  unix-seqpacket:///path  unix:@abstract  vsock://cid:port

The manual is the page man/sockeye.1 of the package: man sockeye, where npm has linked it.`;

/**
 * The command with its subcommands.
 *
 * @param args what was typed: where the first word names a command, only that command is there
 */
export async function makeProgram(
  hooks: ProgramHooks,
  args: readonly string[] = [],
): Promise<Command> {
  const [word] = args;
  const program = new Command('sockeye')
    .description("Servers and clients on the operating system's sockets.")
    .version(ownVersion(), '-V, --version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .addHelpText('after', EXAMPLES)
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => {
        const own = program.commands.find((command) => command.name() === word);
        const options = (own?.options ?? []).flatMap(({ long }) => long ?? []);
        const line = withSuggestion(oneLine(text), options);
        const help = helpOf(text, args);
        write(`sockeye: ${help === '' ? line : line.replace(/\.$/, '')}${help}\n`);
      },
    })
    .showSuggestionAfterError();
  const named = MODULES.filter(({ names }) => word !== undefined && names.includes(word));
  const asksVersion = word === '-V' || word === '--version';
  const wanted = named.length > 0 || asksVersion ? named : MODULES;
  for (const add of await Promise.all(wanted.map(({ load }) => load()))) add(program, hooks);
  // Its script has every command in it, and so it is there when all are.
  if (wanted === MODULES) {
    const { addCompletionCommand } = await import('./completion/completion-command.ts');
    addCompletionCommand(program, hooks);
  }
  return program;
}

/** Commander puts its suggestion on a second line. */
function oneLine(text: string): string {
  return text
    .trim()
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ');
}

/** Commander suggests what has like letters: `--module` for `--idle`. Who types a part means the whole. */
function withSuggestion(line: string, options: readonly string[]): string {
  const [, unknown, typed = ''] = /^(unknown option '--([\w-]{3,})')/.exec(line) ?? [];
  const meant = options.filter((option) => option.includes(typed));
  if (unknown === undefined || meant.length === 0) return line;
  return `${unknown} (Did you mean ${meant.join(' or ')}?)`;
}

/** Who leaves an argument out doesn't know what it looks like. */
function helpOf(text: string, args: readonly string[]): string {
  if (text.includes('too many arguments')) return hostAndPortHint(args);
  const [command] = args;
  return text.includes('missing required argument')
    ? `; sockeye ${command} --help shows examples`
    : '';
}

function ownVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const { version }: { version: string } = JSON.parse(text);
  return version;
}
