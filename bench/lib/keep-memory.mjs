// Keeps free memory backed by the host of a virtual machine.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { compileKeepMemory } from './compile.mjs';

/**
 * @param mebibytes of free memory that measured programs may take from
 * @returns what ends it; undefined, said aloud, where it can't: it needs root and a C compiler
 */
export async function keepMemory(mebibytes) {
  try {
    const child = spawn(compileKeepMemory(), [String(mebibytes)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
    if (!String(said).startsWith('ready')) throw new Error(`keep-memory ended with ${said}`);
    return () => child.kill();
  } catch (error) {
    console.error(`memory is not kept, a virtual machine's host may take it: ${error.message}`);
    return undefined;
  }
}
