import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Randomness } from '../mutate.test.util.ts';
import { LittleEndianBlock } from './pcapng-block.ts';
import { TimeScale } from './time-scale.ts';

const resolutions: readonly (readonly [name: string, resolution: number, perSecond: bigint])[] = [
  ['seconds', 0, 1n],
  ['milliseconds', 3, 1000n],
  ['microseconds', 6, 1_000_000n],
  ['nanoseconds', 9, 1_000_000_000n],
  ['picoseconds', 12, 1_000_000_000_000n],
  ['2^-10 s', 0x8a, 1024n],
  ['2^-30 s', 0x9e, 1n << 30n],
  ['2^-40 s', 0xa8, 1n << 40n],
];

for (const [name, resolution, perSecond] of resolutions) {
  test(`TimeScale splits timestamps in ${name} as bigints would`, () => {
    const random = new Randomness(resolution + 1);
    const scale = new TimeScale(resolution, -5n);
    for (let round = 0; round < 2000; round++) {
      const units =
        BigInt(random.below(4_000_000_000)) * perSecond +
        (BigInt(random.below(2 ** 31)) % perSecond);
      if (units >= 1n << 64n) continue;
      scale.split(Number(units >> 32n), Number(units & 0xffffffffn));
      assert.equal(scale.seconds, Number(units / perSecond) - 5);
      assert.equal(scale.nanoseconds, Number(((units % perSecond) * 1_000_000_000n) / perSecond));
    }
  });
}

test('LittleEndianBlock.time() writes what TimeScale reads', () => {
  const random = new Randomness(9);
  const scale = new TimeScale(9, 0n);
  for (let round = 0; round < 5000; round++) {
    const seconds = random.below(4_294_967_295);
    const nanoseconds = random.below(1_000_000_000);
    const bytes = new LittleEndianBlock(6).time(seconds, nanoseconds).finish();
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    scale.split(view.getUint32(8, true), view.getUint32(12, true));
    assert.deepEqual([scale.seconds, scale.nanoseconds], [seconds, nanoseconds]);
  }
});
