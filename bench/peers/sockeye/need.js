import { unavailable } from '../control.js';

/** Imports `names` from a subpath of the library; where one is missing the role is skipped aloud. */
export async function need(specifier, ...names) {
  const module = await import(specifier).catch((error) => {
    unavailable(`${specifier}: ${error.code ?? error.message}`);
  });
  const missing = names.find((name) => module[name] === undefined);
  if (missing !== undefined) unavailable(`${specifier} has no ${missing} yet`);
  return module;
}

/** Skips the role where a class lacks one of these methods. */
export function needMethods(constructor, ...names) {
  const missing = names.find((name) => typeof constructor.prototype[name] !== 'function');
  if (missing !== undefined) unavailable(`${constructor.name} has no ${missing} yet`);
}
