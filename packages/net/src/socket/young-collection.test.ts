import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runNode } from '../testing/index.ts';

/** Receives chunks of 64 KiB: the statements of a program that has `receive(bytes)` afterwards. */
const RECEIVE = (library: string): string => `
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
`;

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
    ${RECEIVE(library)}
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

test('a program with many objects is left to V8, which collects its buffers by itself', async () => {
  const { stdout, stderr } = await runNode(`
    import { PerformanceObserver } from 'node:perf_hooks';
    import { setTimeout as sleep } from 'node:timers/promises';
    ${RECEIVE(library)}
    globalThis.kept = Array.from({ length: 4e5 }, (_, i) => ({ i, list: [i] }));
    globalThis.gc?.();
    await receive(32 << 20);
    await sleep(10);
    let collections = 0;
    const observer = new PerformanceObserver((list) => (collections += list.getEntries().length));
    observer.observe({ entryTypes: ['gc'] });
    await receive(256 << 20);
    await sleep(10);
    console.log(collections);
    left.close();
    right.close();
  `);
  // V8's own come after 32 MiB; one for each 4 MiB would be 64.
  const collections = Number(stdout);
  assert.ok(stdout !== '' && collections < 40, `${stdout.trim()} collections ${stderr}`);
});
