import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs, TemporaryDirectory } from '../testing/index.ts';
import { MIB, transfer, TwoDirectories } from './transfers.test.util.ts';

/** A disk of 64 MiB that has room for 6, which it finds out when the kernel writes back. */
class ThinDisk implements Disposable {
  readonly #directory = new TemporaryDirectory();
  readonly #memory = this.#directory.file('memory');
  readonly #mounts: string[] = [];
  readonly #image = join(this.#memory, 'image');
  readonly #place: string;

  constructor(place: string) {
    this.#place = place;
    mkdirSync(this.#memory);
    this.#mount('-t', 'tmpfs', '-o', 'size=6m', 'none', this.#memory);
    execFileSync('truncate', ['-s', '64m', this.#image]);
    const features = ['-O', '^has_journal', '-E', 'lazy_itable_init=0,nodiscard'];
    execFileSync('mkfs.ext4', ['-q', ...features, this.#image]);
    this.#mount('-o', 'loop', this.#image, place);
  }

  #mount(...args: readonly string[]): void {
    try {
      execFileSync('mount', args, { stdio: 'ignore' });
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
    this.#mounts.unshift(args.at(-1) as string);
  }

  becomeLarger(): void {
    execFileSync('mount', ['-o', 'remount,size=80m', this.#memory]);
  }

  /** Forgets what is in memory: what a file has then, the disk has. */
  forget(): void {
    execFileSync('umount', [this.#place]);
    execFileSync('mount', ['-o', 'loop', this.#image, this.#place]);
  }

  [Symbol.dispose](): void {
    for (const mount of this.#mounts.splice(0)) execFileSync('umount', ['-l', mount]);
    this.#directory[Symbol.dispose]();
  }
}

function thinDisk(place: string): ThinDisk | undefined {
  try {
    return new ThinDisk(place);
  } catch {
    return undefined;
  }
}

test(
  'receiveFiles() goes on with nothing that the disk did not take, whatever memory still shows',
  await needs('root', 'linux', 'mkfs.ext4'),
  async (t) => {
    using place = new TwoDirectories();
    using disk = thinDisk(place.inbox);
    if (disk === undefined) {
      t.skip('may not mount');
      return;
    }
    const path = place.write('file', 12 * MIB);
    const refused = await transfer([path], place.inbox);
    assert.equal(refused.receipt.entries[0]?.reason, 'target-failed');
    assert.match(refused.receipt.entries[0]?.text ?? '', /ENOSPC|EIO/);
    disk.becomeLarger();
    const { receipt } = await transfer([path], place.inbox);
    assert.equal(receipt.complete, true);
    disk.forget();
    assert.ok(readFileSync(join(place.inbox, 'file')).equals(readFileSync(path)));
  },
);
