import { native } from '@sockeye/native';
import type { InterfaceNames } from '../address/index.ts';
import { checkInteger, checkString, SocketError } from '../errors/index.ts';

/**
 * The index of a network interface.
 *
 * @throws SocketError ENODEV when there is no interface of that name
 * Source: if_nametoindex(3).
 */
export function ifNametoindex(name: string): number {
  const index = native.ifNametoindex(checkString('name', name));
  if (index < 0) throw new SocketError('if_nametoindex', -index, { address: name });
  return index;
}

/**
 * The name of a network interface.
 *
 * @throws SocketError ENXIO when there is no interface of that index
 * Source: if_indextoname(3).
 */
export function ifIndextoname(index: number): string {
  const name = native.ifIndextoname(checkInteger('index', index, 0, 0xffffffff));
  if (typeof name === 'number') throw new SocketError('if_indextoname', -name, { address: index });
  return name;
}

/**
 * Every network interface.
 *
 * Source: if_nameindex(3).
 */
export function ifNameindex(): { index: number; name: string }[] {
  const list = native.ifNameindex();
  if (typeof list === 'number') throw new SocketError('if_nameindex', -list);
  return list;
}

/** Interface names for the address layer. */
export const interfaceNames: InterfaceNames = { ifNametoindex, ifIndextoname };
