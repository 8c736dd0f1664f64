import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runNode } from '../testing/index.ts';

const library = JSON.stringify(new URL('./index.js', import.meta.url));

interface Report {
  readonly header: { readonly glibcVersionRuntime?: string };
}

test('the memory of chunks that were dropped is used again', async (t) => {
  const { header } = process.report.getReport() as unknown as Report;
  if (header.glibcVersionRuntime === undefined) {
    t.skip('another allocator than glibc’s');
    return;
  }
  const { stdout } = await runNode(`
    import { socketpair } from ${library};
    const BYTES = 64 * 1024;
    const [left, right] = socketpair();
    const chunk = Buffer.alloc(BYTES);
    async function receive(total) {
      const send = (async () => {
        for (let sent = 0; sent < total; sent += BYTES) await left.sendall(chunk);
      })();
      for (let received = 0; received < total; ) received += (await right.recv(BYTES)).length;
      await send;
    }
    await receive(32 << 20);
    const before = process.resourceUsage().minorPageFault;
    await receive(256 << 20);
    console.log(process.resourceUsage().minorPageFault - before);
    left.close();
    right.close();
  `);
  // Some 2,000; 12,000 to 27,000 where nothing is collected early or kept.
  const faults = Number(stdout);
  assert.ok(stdout !== '' && faults < 6_000, `${stdout.trim()} pages mapped for 256 MiB`);
});
