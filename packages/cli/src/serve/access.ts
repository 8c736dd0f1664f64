import type { Address } from '@sockeye/net';
import { AddressList } from '@sockeye/net/server';
import { type Command, Option } from 'commander';
import type { Endpoint } from '../address/address.ts';
import { formatEndpoint } from '../address/format-address.ts';
import { parseNetworks } from '../address/parse-networks.ts';
import { usageError } from '../command-error.ts';

/** Who may be a client: addresses and networks. `deny` goes before `allow`. */
export interface Access {
  readonly allow?: readonly string[] | undefined;
  readonly deny?: readonly string[] | undefined;
}

/** Adds --allow and --deny. */
export function addAccessFlags(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--allow <from>',
        'take clients from these addresses only: 10.0.0.0/8,::1',
      ).argParser(parseNetworks),
    )
    .addOption(
      new Option('--deny <from>', 'take none from these, whatever --allow says').argParser(
        parseNetworks,
      ),
    );
}

/** @throws CommandError where clients have no address that could be in a network */
export function checkAccess({ allow, deny }: Access, endpoints: readonly Endpoint[]): void {
  if (allow === undefined && deny === undefined) return;
  const other = endpoints.find((endpoint) => !('host' in endpoint));
  if (other === undefined) return;
  const flag = allow === undefined ? '--deny' : '--allow';
  throw usageError(
    `${flag} is for clients with an IP address; those of ${formatEndpoint(other)} have none`,
  );
}

/** Tells of a sender of datagrams whether it may be a client. */
export function isClient({ allow, deny }: Access): (from: Address | null) => boolean {
  const allowed = allow && new AddressList(allow);
  const denied = deny && new AddressList(deny);
  return (from) => !denied?.has(from) && (allowed === undefined || allowed.has(from));
}
