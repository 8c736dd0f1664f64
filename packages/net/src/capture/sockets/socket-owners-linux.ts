import { readdir, readFile, readlink } from 'node:fs/promises';
import type { SocketOwner } from './listed-socket.ts';

/**
 * Which processes have which sockets open, by inode, as far as /proc may be read.
 *
 * Source: proc(5).
 */
export async function socketOwners(): Promise<Map<number, SocketOwner[]>> {
  const owners = new Map<number, SocketOwner[]>();
  const names = await readdir('/proc').catch(() => []);
  for (const name of names) if (/^\d+$/.test(name)) await addProcess(owners, name);
  return owners;
}

async function addProcess(owners: Map<number, SocketOwner[]>, pid: string): Promise<void> {
  // Processes come and go, and most are somebody else's: what can't be read isn't there.
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const links = await Promise.all(
    descriptors.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')),
  );
  const inodes = new Set(
    links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []).map(Number),
  );
  if (inodes.size === 0) return;
  const comm = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
  const owner = { pid: Number(pid), process: comm.replace(/\n$/, '') };
  for (const inode of inodes) owners.set(inode, [...(owners.get(inode) ?? []), owner]);
}
