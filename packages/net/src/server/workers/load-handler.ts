import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { invalidType } from '../../errors/index.ts';
import type { RequestHandlerClass } from '../request-handler.ts';

const TYPESCRIPT = /\.[cm]?tsx?$/;
const CANNOT_LOAD: ReadonlySet<unknown> = new Set([
  'ERR_UNKNOWN_FILE_EXTENSION',
  // Where Node only strips types: an enum, a namespace, or types in a dependency.
  'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX',
  'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING',
]);

/** The URL of a module given as a URL, its text, or a path. */
export function moduleUrl(handlerModule: URL | string): string {
  if (handlerModule instanceof URL) return handlerModule.href;
  if (typeof handlerModule !== 'string')
    throw invalidType('handlerModule', "a URL or a path of the handlers' module", handlerModule);
  if (!isAbsolute(handlerModule) && /^(file|data|node):/.test(handlerModule))
    return new URL(handlerModule).href;
  return pathToFileURL(resolve(handlerModule)).href;
}

/**
 * The class of handlers that a module exports as default.
 *
 * @throws Error when the module can't be loaded or has no such export
 */
export async function loadHandler<Request>(url: string): Promise<RequestHandlerClass<Request>> {
  const module = await importModule(url);
  const Handler = module['default'];
  if (typeof Handler === 'function') return Handler as RequestHandlerClass<Request>;
  throw new Error(`Cannot load handlers from ${url}: the module's default export is no class`);
}

async function importModule(url: string): Promise<Record<string, unknown>> {
  try {
    return (await import(url)) as Record<string, unknown>;
  } catch (cause) {
    const { code, message } = cause as { code?: unknown; message?: unknown };
    const hint =
      TYPESCRIPT.test(new URL(url).pathname) && CANNOT_LOAD.has(code)
        ? `Node.js ${process.version} does not load TypeScript as it is; compile the module, or start node with a loader such as --import tsx`
        : String(message);
    throw new Error(`Cannot load handlers from ${url}: ${hint}`, { cause });
  }
}
