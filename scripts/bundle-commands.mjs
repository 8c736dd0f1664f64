import { rmSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const at = (path) => fileURLToPath(new URL(`../packages/cli/dist/${path}`, import.meta.url));

/** Of each the module that adds it to the program. Not `serve`, in which the user's own modules run. */
const COMMANDS = [
  'connect/connect-command.js',
  'listen/listen-command.js',
  'forward/forward-command.js',
  'ping/ping-command.js',
  'bench/bench-command.js',
  'options/options-command.js',
  'packets/capture-command.js',
  'packets/explain-command.js',
  'packets/sockets-command.js',
  'packets/read-command.js',
];

/** A file of its own: a sending of small files is over before the rest would have been loaded. */
const TRANSFER = 'transfer/transfer-commands.js';

/** Errors whose class decides the exit status: there is one of each, that of the program. */
const shared = {
  name: 'shared',
  setup({ onResolve }) {
    onResolve({ filter: /\/(command-error|address-syntax-error)\.(js|ts)$/ }, ({ path }) => ({
      path: `../${path.includes('address') ? 'address/' : ''}${basename(path)}`,
      external: true,
    }));
  },
};

/**
 * Makes a few files in dist/bundle of the hundreds of modules that a command loads, most of them the library's:
 * node loads them in a third of the time (docs/decisions/0004-transfer-speed.md). No program of the user's runs
 * in these commands, so nobody meets the library twice.
 */
export async function bundleCommands() {
  rmSync(at('bundle'), { recursive: true, force: true });
  await Promise.all([build(optionsFor(COMMANDS, true)), build(optionsFor([TRANSFER], false))]);
}

function optionsFor(commands, splitting) {
  return {
    entryPoints: commands.map(at),
    outdir: at('bundle'),
    entryNames: '[name]',
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting,
    // Names stay: a stack trace can be read.
    minifyWhitespace: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    sourcemap: true,
    external: ['@sockeye/native', '@napi-rs/blake-hash', 'commander'],
    plugins: [shared],
    logLevel: 'warning',
  };
}
