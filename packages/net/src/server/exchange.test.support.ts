import assert from 'node:assert/strict';
import type { Address } from '../address/index.ts';
import { AF_UNIX, SOCK_DGRAM, SOCK_STREAM } from '../constants/index.ts';
import { Socket } from '../socket/index.ts';
import { receiveLine } from './receive-line.test.support.ts';

const LINE = 'hello world\n';

/** Sends a line to a stream server that echoes it, and expects it back. */
export async function exchangeStream(family: number, address: Address): Promise<void> {
  using client = new Socket<number>(family, SOCK_STREAM);
  await client.connect(address);
  await client.sendall(Buffer.from(LINE));
  assert.equal(await receiveLine(client), LINE);
}

/** Sends a datagram to a server that echoes it, and expects it back. */
export async function exchangeDatagram(family: number, address: Address): Promise<void> {
  using client = new Socket<number>(family, SOCK_DGRAM);
  // Without a name of its own a Unix socket can't be answered; '' has the kernel choose one.
  if (family === AF_UNIX) client.bind({ path: '' });
  await client.sendto(Buffer.from(LINE), address);
  assert.equal((await client.recv(100)).toString(), LINE);
}
