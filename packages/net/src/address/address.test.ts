import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AF_CAN, AF_INET, AF_INET6, AF_RDS, AF_UNIX, AF_X25 } from '../constants/index.ts';
import type {
  Address,
  AddressInput,
  AddressInputOf,
  AddressOf,
  CanAddress,
  CanIsotpAddress,
  CanJ1939Address,
  Inet6Address,
  InetAddress,
  UnixAddress,
} from './address.ts';

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

test('AddressOf maps a family to the type of its addresses, and any number to their union', () => {
  // These lines are checked by the compiler; at run time there is nothing to see.
  const checks: [
    Same<AddressOf<typeof AF_INET>, InetAddress>,
    Same<AddressOf<typeof AF_RDS>, InetAddress>,
    Same<AddressOf<typeof AF_INET6>, Inet6Address>,
    Same<AddressOf<typeof AF_UNIX>, UnixAddress>,
    Same<AddressOf<typeof AF_CAN>, CanAddress | CanIsotpAddress | CanJ1939Address>,
    Same<AddressOf<typeof AF_X25>, Address>,
    Same<AddressOf<number>, Address>,
    Same<AddressInputOf<number>, AddressInput>,
  ] = [true, true, true, true, true, true, true, true];
  assert.ok(checks.every(Boolean));
});

test('AddressInputOf lets the optional fields out and a wrong address not compile', () => {
  const inet: AddressInputOf<typeof AF_INET> = { host: '', port: 1 };
  const inet6: AddressInputOf<typeof AF_INET6> = { host: '', port: 1 };
  // @ts-expect-error A Unix path is no IPv4 address.
  const path: AddressInputOf<typeof AF_INET> = { path: '/x' };
  // @ts-expect-error The library always returns flowinfo and scopeId.
  const output: AddressOf<typeof AF_INET6> = { host: '', port: 1 };
  assert.equal([inet, inet6, path, output].length, 4);
});

test('every Address that the library returns is one that it takes', () => {
  const check: Address extends AddressInput ? true : false = true;
  assert.ok(check);
});
