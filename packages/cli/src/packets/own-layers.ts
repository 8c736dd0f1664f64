import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  builtInLayers,
  createDissector,
  type Dissector,
  type LayerDefinition,
} from '@sockeye/net/dissect';
import { InvalidArgumentError } from 'commander';
import { CommandError, usageError } from '../command-error.ts';
import { moduleProblem } from '../module-problem.ts';

/** What the user adds to the layers that are known. */
export interface OwnLayers {
  /** Modules whose default export is a layer. */
  readonly layer?: readonly string[];
  readonly decodeAs?: DecodeTable;
}

/** `{ 'tcp.port': { 8090: 'websocket' } }` */
export type DecodeTable = Readonly<Record<string, Readonly<Record<number, string>>>>;

/** Reads `tcp.port=8090:websocket`, one of several. */
export function parseDecodeAs(text: string, before: DecodeTable = {}): DecodeTable {
  const [, table, key, protocol] = /^([\w.]+)=(\d{1,5}):([\w-]+)$/.exec(text) ?? [];
  if (table === undefined || protocol === undefined) {
    throw new InvalidArgumentError(
      'Expected where it is announced and what it is: tcp.port=8090:websocket.',
    );
  }
  return { ...before, [table]: { ...before[table], [Number(key)]: protocol } };
}

/** Gathers the files of `--layer`. */
export function collectLayer(file: string, before: readonly string[] = []): string[] {
  return [...before, file];
}

/**
 * The dissector with the user's own layers.
 *
 * @throws CommandError where a module can't be loaded or is no layer, or a protocol isn't known
 */
export async function dissectorWith({ layer = [], decodeAs = {} }: OwnLayers): Promise<Dissector> {
  const own: LayerDefinition[] = [];
  for (const file of layer) own.push(await loadLayer(file));
  try {
    return createDissector({ layers: [...builtInLayers, ...own], decodeAs });
  } catch (error) {
    if (error instanceof RangeError) throw usageError(error.message);
    throw error;
  }
}

async function loadLayer(file: string): Promise<LayerDefinition> {
  let loaded: { default?: unknown };
  try {
    loaded = (await import(pathToFileURL(resolve(file)).href)) as { default?: unknown };
  } catch (error) {
    const reason = `cannot load --layer ${file}: ${moduleProblem(error, file)}`;
    throw new CommandError(reason, undefined, { cause: error });
  }
  if (isLayer(loaded.default)) return loaded.default;
  throw new CommandError(
    `cannot load --layer ${file}: its default export is no layer; expected { protocol, announcedBy, dissect }`,
  );
}

function isLayer(value: unknown): value is LayerDefinition {
  const { protocol, announcedBy, dissect } = (value ?? {}) as Record<string, unknown>;
  return (
    typeof protocol === 'string' &&
    typeof announcedBy === 'object' &&
    announcedBy !== null &&
    typeof dissect === 'function'
  );
}
