import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

/** Which C library the running node stands on; the report is slow, so ask only where it matters. */
function libc() {
  if (process.platform !== 'linux') return '';
  return process.report.getReport().header.glibcVersionRuntime ? '-glibc' : '-musl';
}

/** A prebuilt binary where the package carries one, otherwise what the build made. */
function binaryPath() {
  const prebuilds = join(here, 'prebuilds');
  if (existsSync(prebuilds)) {
    const name = `${process.platform}-${process.arch}${libc()}`;
    const prebuilt = join(prebuilds, name, 'sockeye_native.node');
    if (existsSync(prebuilt)) return prebuilt;
  }
  return join(here, 'build/Release/sockeye_native.node');
}

function load() {
  const path = binaryPath();
  try {
    return createRequire(import.meta.url)(path);
  } catch (cause) {
    if (cause.code === 'ERR_DLOPEN_DISABLED') {
      const reason = 'the permission model is on; start node with --allow-addons';
      throw new Error(`Cannot load @sockeye/native: ${reason}`, { cause });
    }
    if (existsSync(path)) throw cause;
    const system = `${process.platform}-${process.arch}${libc()}`;
    const reason = `no binary for ${system}; build it from a checkout with npm ci`;
    throw new Error(`Cannot load @sockeye/native: ${reason}`, { cause });
  }
}

export const native = load();
