import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { errorCode } from './error-code.ts';
import { reasonOf } from './explain-error.ts';
import { placeOfError } from './place-of-error.ts';

/**
 * Why a module of the user's own can't be loaded, and what to do, in one line.
 *
 * @param file as it was typed
 */
export function moduleProblem(error: unknown, file: string): string {
  const unreadable = fileProblem(file);
  if (unreadable !== undefined) return unreadable;
  const code = errorCode(error);
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION') return extensionProblem(file);
  if (code === 'ERR_MODULE_NOT_FOUND') return importProblem(error as Error & { url?: string });
  if (error instanceof SyntaxError) return `${placeOfSyntax(file)}${error.message}`;
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return `it failed while it was loaded${placeOfError(error)}: ${text}`;
}

/** What keeps it from being read at all: Node would name our own files. */
function fileProblem(file: string): string | undefined {
  try {
    return statSync(file).isDirectory() ? 'it is a directory; expected a file' : undefined;
  } catch (error) {
    const reason = errorCode(error) === 'ENOENT' ? 'there is no such file' : reasonOf(error);
    return `${reason}; expected the path of a module, from ${process.cwd()}`;
  }
}

function extensionProblem(file: string): string {
  if (!/\.[cm]?tsx?$/.test(file)) return 'its name ends in nothing that Node runs; expected .mjs';
  return (
    `Node ${process.versions.node} does not run TypeScript; Node 22.18 or later does, or ` +
    'compile it first: npx tsc'
  );
}

function importProblem({ message, url }: Error & { url?: string }): string {
  const [, name, from] = /^Cannot find \w+ '([^']+)' imported from (.+)$/.exec(message) ?? [];
  if (name === undefined || from === undefined) return message;
  const own = basename(from);
  if (url !== undefined) return `${own} imports ${fileURLToPath(url)}, which is not there`;
  return `${own} imports the package ${name}, which is not installed there; npm install ${name}`;
}

/** Node tells the place of a syntax error on stderr only. `handler.mjs:3: `, or nothing. */
function placeOfSyntax(file: string): string {
  const path = resolve(file);
  const { stderr } = spawnSync(process.execPath, ['--check', path], { encoding: 'utf8' });
  const [, line] = /^.*:(\d+)\n/.exec(stderr) ?? [];
  return line === undefined ? '' : `${basename(path)}:${line}: `;
}
