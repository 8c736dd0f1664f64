// Puts the native core that was built here where the published package looks for it.
import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const native = join(dirname(dirname(fileURLToPath(import.meta.url))), 'packages/native');
const { glibcVersionRuntime } = process.report.getReport().header;
const libc = process.platform !== 'linux' ? '' : glibcVersionRuntime ? '-glibc' : '-musl';
const folder = join(native, 'prebuilds', `${process.platform}-${process.arch}${libc}`);
mkdirSync(folder, { recursive: true });
cpSync(join(native, 'build/Release/sockeye_native.node'), join(folder, 'sockeye_native.node'));
console.log(`prebuilt: ${folder}`);
