import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  delimiter,
  fixedSize,
  headed,
  jsonLines,
  lengthPrefix,
  lines,
  netstring,
} from './index.ts';
import { wrongArgument } from './wrong-argument.test.util.ts';

const CODECS: Readonly<Record<string, (options: unknown) => unknown>> = {
  delimiter: (options) => delimiter('\n', wrongArgument(options)),
  fixedSize: (options) => fixedSize(wrongArgument(options)),
  headed: (options) => headed(wrongArgument(options)),
  jsonLines: (options) => jsonLines(wrongArgument(options)),
  lengthPrefix: (options) => lengthPrefix(wrongArgument(options)),
  lines: (options) => lines(wrongArgument(options)),
  netstring: (options) => netstring(wrongArgument(options)),
};

for (const [name, make] of Object.entries(CODECS)) {
  test(`${name}() refuses options that are no object, and a name that is misspelt`, () => {
    for (const options of [4, 'utf8', null]) {
      assert.throws(() => make(options), {
        name: 'TypeError',
        message: /^Cannot use options: expected an object, got /,
      });
    }
    assert.throws(() => make({ byte: 4 }), {
      name: 'TypeError',
      message: /^Cannot use options: expected one of .*, got 'byte'$/,
    });
  });
}
