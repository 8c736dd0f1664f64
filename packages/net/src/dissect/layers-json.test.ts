import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDissector } from './dissect.ts';
import { Field } from './field.ts';
import { Layer } from './layer.ts';
import { layersJson } from './layers-json.ts';
import { allSamples } from './samples.test.util.ts';

test('layersJson() gives what JSON.stringify() gives, of every sample and of any value', async () => {
  const dissect = createDissector({ decodeAs: { 'tcp.port': { 8765: 'websocket' } } });
  for (const { name, bytes, linkType } of await allSamples()) {
    const { layers } = dissect(bytes, { linkType });
    assert.equal(layersJson(layers), JSON.stringify(layers), name);
  }
  const odd = new Layer('"', 0);
  const long = Uint8Array.from({ length: 300 }, (_, index) => index);
  const values = [0, -1.5, 2n ** 64n, true, '', '"\\\n\u0000', '粘包 😀', '\ud800', long];
  for (const [index, value] of values.entries()) {
    for (const meaning of [undefined, 'say "so"']) {
      odd.fields.push(new Field('odd\n', value, index, 2 ** 22, meaning));
      odd.fields.push(new Field('odd', value, index, index, meaning));
    }
  }
  assert.equal(layersJson([odd, odd]), JSON.stringify([odd, odd]));
  assert.equal(layersJson([]), '[]');
});
