import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

function libc() {
  if (process.platform !== 'linux') return '';
  return process.report?.getReport().header.glibcVersionRuntime ? '-glibc' : '-musl';
}

/** A prebuilt binary where the package carries one, otherwise what the build made. */
function binaryPath() {
  const prebuilt = join(
    here,
    'prebuilds',
    `${process.platform}-${process.arch}${libc()}`,
    'sockeye_native.node',
  );
  return existsSync(prebuilt) ? prebuilt : join(here, 'build/Release/sockeye_native.node');
}

function load() {
  const path = binaryPath();
  try {
    return createRequire(import.meta.url)(path);
  } catch (cause) {
    if (cause.code === 'ERR_DLOPEN_DISABLED') {
      throw new Error(
        'Cannot load @sockeye/native: the permission model is on; start node with --allow-addons',
        { cause },
      );
    }
    if (!existsSync(path)) {
      throw new Error(
        `Cannot load @sockeye/native: no binary for ${process.platform}-${process.arch}${libc()}; build it with npm run build`,
        { cause },
      );
    }
    throw cause;
  }
}

export const native = load();
