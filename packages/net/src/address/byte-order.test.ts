import assert from 'node:assert/strict';
import { endianness } from 'node:os';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { htonl, htons, ntohl, ntohs } from './byte-order.ts';

test('htons and ntohs give the number whose bytes in memory are in the other order', () => {
  fc.assert(
    fc.property(fc.nat(0xffff), (value) => {
      const memory = Buffer.alloc(2);
      if (endianness() === 'LE') memory.writeUInt16LE(htons(value));
      else memory.writeUInt16BE(htons(value));
      assert.equal(memory.readUInt16BE(), value);
      assert.equal(ntohs(htons(value)), value);
    }),
  );
});

test('htonl and ntohl give the number whose bytes in memory are in the other order', () => {
  fc.assert(
    fc.property(fc.nat(0xffffffff), (value) => {
      const memory = Buffer.alloc(4);
      if (endianness() === 'LE') memory.writeUInt32LE(htonl(value));
      else memory.writeUInt32BE(htonl(value));
      assert.equal(memory.readUInt32BE(), value);
      assert.equal(ntohl(htonl(value)), value);
    }),
  );
});

test('htonl gives an unsigned number', () => {
  assert.equal(htonl(ntohl(0xffffffff)), 0xffffffff);
  assert.equal(ntohl(htonl(0x800000ff)), 0x800000ff);
});

test('htons, ntohs, htonl and ntohl refuse what needs more bits', () => {
  for (const convert of [htons, ntohs]) {
    for (const value of [-1, 0x10000, Number.POSITIVE_INFINITY]) {
      assert.throws(() => convert(value), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' });
    }
  }
  for (const convert of [htonl, ntohl]) {
    for (const value of [-1, 0x100000000, Number.MAX_SAFE_INTEGER]) {
      assert.throws(() => convert(value), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' });
    }
  }
});

test('htons, ntohs, htonl and ntohl refuse what is no integer', () => {
  for (const convert of [htons, ntohs, htonl, ntohl]) {
    for (const value of [undefined, null, '1', 1n, 1.5, Number.NaN, {}]) {
      assert.throws(() => Reflect.apply(convert, undefined, [value]), {
        name: 'TypeError',
        code: 'ERR_INVALID_ARG_TYPE',
      });
    }
  }
});
