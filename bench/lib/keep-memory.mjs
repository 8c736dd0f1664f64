// Keeps free memory backed by the host of a virtual machine.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { compileKeepMemory } from './compile.mjs';

/**
 * Keeps it as long as this process lives. Says aloud where it can't: it needs root and a C compiler.
 *
 * @param mebibytes of free memory that measured programs may take from
 */
export async function keepMemory(mebibytes) {
  try {
    const child = spawn(compileKeepMemory(), [String(mebibytes)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const [said] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
    if (!String(said).startsWith('ready')) throw new Error(`keep-memory ended with ${said}`);
    // It ends with its stdin, however we end; nothing here waits for it.
    child.unref();
    child.stdin.unref();
    child.stdout.destroy();
  } catch (error) {
    console.error(`memory is not kept, a virtual machine's host may take it: ${error.message}`);
  }
}
