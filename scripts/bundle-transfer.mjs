import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const at = (path) => fileURLToPath(new URL(`../packages/cli/dist/${path}`, import.meta.url));

/** Errors whose class decides the exit status: there is one of each, that of the program. */
const SHARED = ['command-error.js', 'address/address-syntax-error.js'];

/**
 * Makes one file of the modules that `send`, `receive` and `verify` load, most of them the library's. Node
 * loads it in 95 ms and their 195 files in 200 (docs/decisions/0004-transfer-speed.md). No program of the
 * user's runs in these commands, so nobody meets the library twice.
 */
export function bundleTransfer() {
  buildSync({
    entryPoints: [at('transfer/transfer-commands.js')],
    outfile: at('transfer/transfer-commands.bundle.js'),
    bundle: true,
    // Names stay: a stack trace can be read.
    minifyWhitespace: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    sourcemap: true,
    external: ['@sockeye/native', '@napi-rs/blake-hash', 'commander', ...SHARED.map(at)],
    logLevel: 'warning',
  });
}
