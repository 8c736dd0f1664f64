// Two network namespaces with a wire between them on which every packet takes its time.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { compileDelayWire } from './compile.mjs';

/** The first namespace's side makes connections, the second's listens. */
export const WIRE_ADDRESSES = { client: '10.86.7.1', server: '10.86.7.2' };

const ip = (...args) => execFileSync('ip', args);

/**
 * @param milliseconds of a round trip
 * @returns what is put before a command to run it on a side, and what ends all of it. Needs root,
 *   iproute2, a C compiler and /dev/net/tun
 */
export async function startDelayWire(milliseconds) {
  const names = { client: `sockeye-a-${process.pid}`, server: `sockeye-b-${process.pid}` };
  const close = () => {
    wire?.stdin.end();
    wire?.stdout.destroy();
    for (const name of made.splice(0)) ip('netns', 'del', name);
  };
  const made = [];
  let wire;
  try {
    for (const name of Object.values(names)) {
      ip('netns', 'add', name);
      made.push(name);
      ip('-n', name, 'link', 'set', 'lo', 'up');
    }
    const way = Math.round(milliseconds * 500);
    const args = [names.client, names.server, String(way)];
    wire = spawn(compileDelayWire(), args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const [said] = await Promise.race([once(wire.stdout, 'data'), once(wire, 'exit')]);
    if (String(said) !== 'ready\n') throw new Error('the delay wire did not start');
  } catch (error) {
    close();
    throw error;
  }
  const within = (side) => ['ip', 'netns', 'exec', names[side]];
  return { within, close };
}
