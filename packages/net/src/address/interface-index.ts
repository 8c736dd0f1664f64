import { IFNAMSIZ } from '../constants/index.ts';
import { checkInteger, invalidType, outOfRange } from '../errors/index.ts';
import type { InterfaceNames } from './address.ts';

/** An interface index is a positive int in the kernel; 0 is any interface. */
const MAX_INDEX = 0x7fffffff;

/** The index of an interface given by index or by name; `''` and 0 are any interface. */
export function interfaceIndex(
  field: string,
  value: unknown,
  interfaces: InterfaceNames | undefined,
): number {
  if (typeof value === 'number') return checkInteger(field, value, 0, MAX_INDEX);
  if (typeof value !== 'string') throw invalidType(field, 'an interface name or index', value);
  if (value === '') return 0;
  if (Buffer.byteLength(value) >= IFNAMSIZ || value.includes('\0')) {
    throw outOfRange(field, `an interface name of at most ${IFNAMSIZ - 1} bytes`, value);
  }
  if (interfaces === undefined) throw invalidType(field, 'an interface index', value);
  return interfaces.ifNametoindex(value);
}

/** The name of an interface; its index where it has none, because it is gone or nobody knows names. */
export function interfaceName(index: number, interfaces?: InterfaceNames): string | number {
  if (index === 0) return '';
  try {
    return interfaces?.ifIndextoname(index) ?? index;
  } catch {
    // A packet may outlive the interface that it came by; that must not lose it.
    return index;
  }
}
