import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkCuts, failure, joined } from './check-codec.test.util.ts';
import { jsonLines } from './json-lines.ts';
import { FrameMalformedError } from './protocol-error.ts';

test('jsonLines() reads values line by line, skipping empty lines, the last without newline', () => {
  const stream = '{"a":[1,"\\n é😀"]}\r\n\n\r\nnull\n"x"';
  const messages = [{ a: [1, '\n é😀'] }, null, 'x'];
  checkCuts(jsonLines(), Buffer.from(stream), { messages });
});

test('jsonLines() refuses a line that is no JSON after the values before it, and names the cause', () => {
  const error = 'ERR_FRAME_MALFORMED: Cannot decode frame: a line is not JSON';
  for (const line of ['{', '1 2', "'a'", ' ', 'undefined', '\ufeff1']) {
    checkCuts(jsonLines(), Buffer.from(`1\n${line}\n2\n`), { messages: [1], error });
  }
  assert.throws(
    () => jsonLines().decoder().push(Buffer.from('{\n')),
    (thrown) => thrown instanceof FrameMalformedError && thrown.cause instanceof SyntaxError,
  );
});

test('jsonLines() tells a value that the end cut', () => {
  const cut = 'ERR_FRAME_TRUNCATED: Cannot decode frame: the stream ended inside a JSON value';
  checkCuts(jsonLines(), Buffer.from('1\n{"a":'), { messages: [1], error: cut });
  checkCuts(jsonLines(), Buffer.from('1\n\r'), { messages: [1] });
  const unended =
    'ERR_FRAME_TRUNCATED: Cannot decode frame: the stream ended 2 bytes into a frame, before its end mark';
  checkCuts(jsonLines({ final: 'reject' }), Buffer.from('1\n12'), {
    messages: [1],
    error: unended,
  });
});

test('jsonLines() allows 1 MiB by default and what maxFrameBytes says otherwise', () => {
  const text = JSON.stringify('x'.repeat(1_048_574));
  assert.equal(
    [
      ...jsonLines()
        .decoder()
        .push(Buffer.from(`${text}\n`)),
    ].length,
    1,
  );
  const error = 'ERR_FRAME_TOO_LARGE: Cannot decode frame: a frame exceeds maxFrameBytes 2';
  checkCuts(jsonLines({ maxFrameBytes: 2 }), Buffer.from('12\n123\n'), { messages: [12], error });
});

test('jsonLines() parses nesting as deep as a frame allows without running out of stack', () => {
  const half = 500_000;
  const stream = Buffer.from(`${'['.repeat(half)}${']'.repeat(half)}\n`);
  assert.equal([...jsonLines().decoder().push(stream)].length, 1);
});

test('jsonLines() keeps "__proto__" a plain key', () => {
  const [value] = jsonLines<object>().decoder().push(Buffer.from('{"__proto__":{"x":1}}\n'));
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
});

test('jsonLines().encode() writes one line, and refuses what JSON cannot say', () => {
  assert.equal(String(joined(jsonLines().encode({ a: '\n\u2028' }))), '{"a":"\\n\u2028"}\n');
  assert.equal(String(joined(jsonLines().encode('\ud800'))), '"\\ud800"\n');
  const cycle: unknown[] = [];
  cycle.push(cycle);
  for (const value of [undefined, () => 1, Symbol('s'), 1n, cycle]) {
    assert.match(
      failure(() => jsonLines().encode(value)),
      /^ERR_FRAME_MALFORMED: Cannot encode frame: JSON/,
    );
  }
});
