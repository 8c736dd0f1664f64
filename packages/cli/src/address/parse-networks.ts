import { AddressList } from '@sockeye/net/server';
import { InvalidArgumentError } from 'commander';

/**
 * Addresses and networks, such as `127.0.0.1,10.0.0.0/8,::1`.
 *
 * @throws InvalidArgumentError
 */
export function parseNetworks(text: string): readonly string[] {
  const networks = text.split(',');
  try {
    // Only to find what is none.
    void new AddressList(networks, 'networks');
    return networks;
  } catch {
    throw new InvalidArgumentError('Expected addresses or networks: 127.0.0.1,10.0.0.0/8.');
  }
}
