import { execFileSync, spawnSync } from 'node:child_process';
import { COMMAND, Running } from '../command.test.util.ts';
import type { TestContext } from 'node:test';

/** Why there can be no namespaces here; false if there can. For a test's `skip`. */
export function noNamespaces(): string | false {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const { status, error } = spawnSync('unshare', ['-n', 'ip', 'link'], { stdio: 'ignore' });
  return error === undefined && status === 0 ? false : 'unshare -n and ip do not work here';
}

/** The nodes of a network: a host, a router and what is behind it. */
export type Node = 'near' | 'router' | 'far';

/**
 * Three network namespaces in a row, IPv4 and IPv6:
 *
 *     near 10.9.1.2 ── 10.9.1.1 router 10.9.2.1 ── 10.9.2.2 far
 *     near fd09:1::2 ── fd09:1::1 router fd09:2::1 ── fd09:2::2 far
 *
 * The router says that fd09:3::/64 is unreachable, swallows what goes to 10.9.5.0/24, and gives up
 * after 100 ms on a neighbour that isn't there. (What an IPv4 route refuses is rationed by a bound of
 * the whole machine, net.ipv4.route.error_cost: no test can rely on it.)
 */
export class Network {
  readonly #names: Readonly<Record<Node, string>>;

  constructor(t: TestContext) {
    const name = (node: Node): string => `sockeye-ping-${process.pid}-${node}`;
    this.#names = { near: name('near'), router: name('router'), far: name('far') };
    const names = Object.values(this.#names);
    t.after(() => {
      for (const each of names) spawnSync('ip', ['netns', 'del', each], { stdio: 'ignore' });
    });
    for (const each of names) execFileSync('ip', ['netns', 'add', each]);
    for (const node of ['near', 'router', 'far'] as const) this.ip(node, 'link set lo up');
    this.#link('near', 1);
    this.#link('far', 2);
    this.shell('router', 'echo 1 > /proc/sys/net/ipv4/ip_forward');
    this.shell('router', 'echo 1 > /proc/sys/net/ipv6/conf/all/forwarding');
    // Its errors would be rationed otherwise (net.ipv4.icmp_ratelimit).
    this.shell('router', 'echo 0 > /proc/sys/net/ipv4/icmp_ratelimit');
    this.shell('router', 'echo 0 > /proc/sys/net/ipv6/icmp/ratelimit');
    this.shell('router', 'echo 1 > /proc/sys/net/ipv4/neigh/r2/mcast_solicit');
    this.shell('router', 'echo 100 > /proc/sys/net/ipv4/neigh/r2/retrans_time_ms');
    this.ip('router', 'route add blackhole 10.9.5.0/24');
    this.ip('router', '-6 route add unreachable fd09:3::/64');
  }

  #link(node: 'near' | 'far', net: number): void {
    const [inside, outside] = [`v${net}`, `r${net}`];
    this.ip('router', `link add ${outside} type veth peer name ${inside}`);
    this.ip('router', `link set ${inside} netns ${this.#names[node]}`);
    // Without duplicate address detection an address can be used at once.
    for (const [where, device, last] of [
      ['router', outside, 1],
      [node, inside, 2],
    ] as const) {
      this.ip(where, `link set ${device} addrgenmode none`);
      this.ip(where, `addr add 10.9.${net}.${last}/24 dev ${device}`);
      this.ip(where, `addr add fd09:${net}::${last}/64 dev ${device} nodad`);
      this.ip(where, `addr add fe80::${last}/64 dev ${device} nodad`);
      this.ip(where, `link set ${device} up`);
    }
    this.ip(node, `route add default via 10.9.${net}.1`);
    this.ip(node, `-6 route add default via fd09:${net}::1`);
  }

  /** Whether the host may open datagram ICMP sockets. */
  allowDatagrams(isAllowed: boolean): void {
    const range = isAllowed ? '0 2147483647' : '1 0';
    this.shell('near', `echo "${range}" > /proc/sys/net/ipv4/ping_group_range`);
  }

  ip(node: Node, line: string): void {
    execFileSync('ip', ['-n', this.#names[node], ...line.split(' ')]);
  }

  shell(node: Node, line: string): string {
    const args = ['netns', 'exec', this.#names[node], 'sh', '-c', line];
    return execFileSync('ip', args, { encoding: 'utf8' });
  }

  /** Starts a program on the host. */
  start(t: TestContext, file: string, ...args: string[]): Running {
    return this.startAt('near', t, file, ...args);
  }

  /** Starts a program on any node. */
  startAt(node: Node, t: TestContext, file: string, ...args: string[]): Running {
    return new Running(t, 'ip', ['netns', 'exec', this.#names[node], file, ...args]);
  }

  /** Starts our ping on the host. */
  ping(t: TestContext, ...args: string[]): Running {
    return this.start(t, process.execPath, COMMAND, 'ping', ...args);
  }
}
