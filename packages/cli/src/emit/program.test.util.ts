import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { Running, run, temporaryDirectory } from '../command.test.util.ts';

// …/packages/net/dist/index.js
const NET = dirname(dirname(fileURLToPath(import.meta.resolve('@sockeye/net'))));

/** A directory in which programs find the library, as an installation would have it. */
export function project(t: TestContext): string {
  const directory = temporaryDirectory(t);
  mkdirSync(join(directory, 'node_modules/@sockeye'), { recursive: true });
  symlinkSync(NET, join(directory, 'node_modules/@sockeye/net'));
  return directory;
}

/** Each form of --frame. */
export const FRAMES = [
  'lines',
  'json',
  'netstring',
  'length:1',
  'length:4:little',
  'length:varint',
  'fixed:5',
  'delimiter:0d0a',
];

function withoutTypes(text: string): string {
  const { ESNext } = ts.ModuleKind;
  const compilerOptions = { module: ESNext, target: ts.ScriptTarget.ES2023 };
  return ts.transpileModule(text, { compilerOptions }).outputText;
}

/** Runs what `--emit` prints in a project that has the library, as a user would who saved it there. */
export async function program(t: TestContext, args: readonly string[]): Promise<Running> {
  const { status, stdout, stderr } = await run(t, [...args, '--emit']);
  assert.deepEqual([status, stderr], [0, '']);
  const directory = project(t);
  // What Node does by itself from 22.18 on.
  const isStripped = 'typescript' in process.features && process.features.typescript === 'strip';
  const file = join(directory, isStripped ? 'program.mts' : 'program.mjs');
  writeFileSync(file, isStripped ? stdout : withoutTypes(stdout));
  return new Running(t, process.execPath, [file]);
}

/** The port on which an emitted server listens, once it says so. */
export async function portOf(server: Running): Promise<number> {
  const port = await server.until(
    ({ stderr }) => /^listening on \{[^}]*port: (\d+)/m.exec(stderr)?.[1],
  );
  return Number(port);
}
