import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { countDescriptors, needs, TemporaryDirectory } from '../../testing/index.ts';
import { KeptListings } from './kept-listings.ts';
import { SourceTree } from './source-tree.ts';

/** A directory of more names than one call lists, and two below it. */
function plant(place: TemporaryDirectory): string {
  const top = place.file('top');
  mkdirSync(`${top}/a/deep`, { recursive: true });
  for (let i = 0; i < 2500; i++) writeFileSync(`${top}/${i}`, 'x');
  writeFileSync(`${top}/a/deep/last`, 'four');
  symlinkSync('nowhere', `${top}/link`);
  return top;
}

async function walked(tree: SourceTree) {
  const paths: string[] = [];
  const ids: number[] = [];
  const skipped: string[] = [];
  for await (const batch of tree.walk()) {
    paths.push(...batch.sources.map(({ entry }) => entry.path.join('/')));
    ids.push(...batch.sources.map(({ entry }) => entry.id));
    skipped.push(...batch.skipped.map(({ path, text }) => `${path.join('/')}: ${text}`));
  }
  return { paths, ids, skipped };
}

for (const [how, most] of [
  ['that are listed once', 2 ** 20],
  ['that are listed twice', 0],
] as const) {
  test(
    `SourceTree counts directories ${how} and walks through the same`,
    await needs('linux'),
    async () => {
      using place = new TemporaryDirectory();
      const top = plant(place);
      const before = countDescriptors(place.path);
      const tree = await SourceTree.open([top, `${top}/7`], new KeptListings(most));
      assert.deepEqual([tree.entries, tree.bytes, tree.names], [2505, 2505, ['top', '7']]);
      const { paths, ids, skipped } = await walked(tree);
      assert.deepEqual(
        ids,
        Array.from({ length: 2505 }, (_, i) => i),
      );
      const wanted = ['7', 'top', 'top/a', 'top/a/deep', 'top/a/deep/last'];
      for (let i = 0; i < 2500; i++) wanted.push(`top/${i}`);
      assert.deepEqual(paths.toSorted(), wanted.toSorted());
      for (const parent of ['top', 'top/a', 'top/a/deep']) {
        const first = paths.findIndex((path) => path.startsWith(`${parent}/`));
        assert.ok(paths.indexOf(parent) < first, parent);
      }
      assert.deepEqual(skipped, ['top/link: it is a symbolic link, which is not followed']);
      await tree.close();
      assert.equal(countDescriptors(place.path), before);
    },
  );
}

test(
  'SourceTree walks through no more than it counted, and says how much of it is gone',
  await needs('linux'),
  async () => {
    using place = new TemporaryDirectory();
    const top = plant(place);
    const fewer = await SourceTree.open([top], new KeptListings(0));
    rmSync(`${top}/a/deep/last`);
    rmSync(`${top}/1234`);
    const gone = await walked(fewer);
    assert.equal(gone.paths.length, fewer.entries - 2);
    assert.match(gone.skipped.at(-1) ?? '', /^top: 2 of the files and directories in it are gone/);
    await fewer.close();
    const more = await SourceTree.open([top], new KeptListings(0));
    writeFileSync(`${top}/new`, 'x');
    const found = await walked(more);
    assert.equal(found.paths.length, more.entries);
    assert.match(found.skipped.join('\n'), /more is there than was offered/);
    await more.close();
  },
);

test('SourceTree closes what a walk that was left has open', await needs('linux'), async () => {
  using place = new TemporaryDirectory();
  const top = plant(place);
  const before = countDescriptors(place.path);
  const tree = await SourceTree.open([top], new KeptListings(0));
  const walk = tree.walk();
  await walk.next();
  await walk.next();
  assert.ok(countDescriptors(place.path) > before);
  await tree.close();
  assert.equal(countDescriptors(place.path), before);
});

test('SourceTree needs one descriptor for files of one directory, however many are named', async () => {
  using place = new TemporaryDirectory();
  const names = Array.from({ length: 200 }, (_, i) => place.file(`f${i}`));
  for (const name of names) writeFileSync(name, '');
  const before = countDescriptors(place.path);
  const tree = await SourceTree.open(names);
  assert.equal(countDescriptors(place.path), before + 1);
  assert.equal((await walked(tree)).paths.length, 200);
  await tree.close();
});
