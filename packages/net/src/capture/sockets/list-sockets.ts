import { inetSockets } from './inet-sockets.ts';
import { netlinkSockets, packetSockets } from './link-sockets.ts';
import type { ListedSocket, OwnerlessSocket } from './listed-socket.ts';
import { socketOwners } from './socket-owners-linux.ts';
import { unixSockets } from './unix-sockets.ts';

/** Which sockets are asked for. */
export interface ListSocketsOptions {
  /** Default all. */
  readonly families?: readonly ListedSocket['family'][];
  /** Of IP sockets; default all. What isn't asked for costs nothing. */
  readonly types?: readonly ('tcp' | 'udp' | 'raw')[];
  /** Look up who has them open, which reads all of /proc; default true. */
  readonly owners?: boolean;
}

const TABLES: readonly (readonly [
  readonly ListedSocket['family'][],
  (options: ListSocketsOptions) => Promise<OwnerlessSocket[]>,
])[] = [
  [['inet', 'inet6'], ({ types }) => inetSockets(types)],
  [['unix'], unixSockets],
  [['packet'], packetSockets],
  [['netlink'], netlinkSockets],
];

/**
 * The sockets of this network namespace, as ss(8) lists them: TCP, UDP, raw, Unix, packet, netlink.
 *
 * It is no snapshot: the kernel is asked table by table, while sockets come and go. A family that
 * the kernel lacks has none.
 *
 * @throws SocketError EPERM, EAFNOSUPPORT where a sandbox forbids to ask
 * Source: sock_diag(7).
 *
 * @example
 * ```ts
 * const server = createServer({ host: '127.0.0.1', port: 0 });
 * const { port } = server.getsockname();
 * const found = (await listSockets()).find(({ local }) => local === `127.0.0.1:${port}`);
 * assert.equal(found?.state, 'LISTEN');
 * server.close();
 * ```
 */
export async function listSockets(options: ListSocketsOptions = {}): Promise<ListedSocket[]> {
  const { families, owners: wantsOwners = true } = options;
  const found: OwnerlessSocket[] = [];
  for (const [has, list] of TABLES) {
    if (families === undefined || has.some((family) => families.includes(family))) {
      // One by one: as arguments of one call, 130,000 sockets exceed the stack.
      for (const socket of await list(options)) found.push(socket);
    }
  }
  const owners = wantsOwners ? await socketOwners() : undefined;
  return found
    .filter(({ family }) => families === undefined || families.includes(family))
    .map((socket) => ({ ...socket, owners: owners?.get(socket.inode) ?? [] }));
}
