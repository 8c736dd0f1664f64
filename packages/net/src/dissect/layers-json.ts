import type { Field } from './field.ts';
import type { Layer } from './layer.ts';
import { hexText } from './text/hex-text.ts';

// Names and places recur from packet to packet; those of hostile ones don't. Arbitrary bound.
const MAX_KNOWN = 8192;
// A packet has fewer: 262,144 bytes are the most that is captured.
const MAX_BITS = 2 ** 22;
// All but quotes, backslashes, control characters and lone surrogates stand for themselves in JSON.
// oxlint-disable-next-line no-control-regex -- these are the ones that need an escape
const NEEDS_ESCAPE = /["\\\u0000-\u001f\ud800-\udfff]/;

const beginnings = new Map<string, string>();
const ends = new Map<number, string>();
const meanings = new Map<string, string>();

/**
 * What `JSON.stringify(layers)` gives, 6 times as fast for a SYN: a packet has some 60 fields, and
 * `toJSON()` makes two objects of each.
 *
 * @example
 * ```ts
 * const { layers } = createDissector()(new Uint8Array(60));
 * assert.equal(layersJson(layers), JSON.stringify(layers));
 * ```
 */
export function layersJson(layers: readonly Layer[]): string {
  let text = '[';
  let separator = '';
  for (const { protocol, fields } of layers) {
    text += `${separator}{"protocol":${quoted(protocol)},"fields":[${fieldsJson(fields)}]}`;
    separator = ',';
  }
  return `${text}]`;
}

function fieldsJson(fields: readonly Field[]): string {
  let text = '';
  for (let index = 0; index < fields.length; index++) {
    const field = fields[index]!;
    if (index > 0) text += ',';
    text += beginning(field.name) + valueJson(field.value);
    if (field.meaning !== undefined) text += meaningJson(field.meaning);
    text += endJson(field.start, field.end);
  }
  return text;
}

function valueJson(value: Field['value']): string {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null';
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'boolean') return String(value);
  return typeof value === 'bigint' ? `"${value}"` : `"${hexText(value)}"`;
}

function quoted(text: string): string {
  return NEEDS_ESCAPE.test(text) ? JSON.stringify(text) : `"${text}"`;
}

function beginning(name: string): string {
  return (
    beginnings.get(name) ?? remember(beginnings, name, `{"name":${JSON.stringify(name)},"value":`)
  );
}

function meaningJson(meaning: string): string {
  return (
    meanings.get(meaning) ?? remember(meanings, meaning, `,"meaning":${JSON.stringify(meaning)}`)
  );
}

function endJson(start: number, end: number): string {
  const width = end - start;
  if (width < 0 || width >= MAX_BITS) return `,"bits":[${start},${end}]}`;
  const key = start * MAX_BITS + width;
  return ends.get(key) ?? remember(ends, key, `,"bits":[${start},${end}]}`);
}

function remember<Key>(known: Map<Key, string>, key: Key, text: string): string {
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(key, text);
  return text;
}
