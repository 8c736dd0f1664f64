import { errorCode } from './error-code.ts';

/** Why a module of the user's own can't be loaded, in one line. */
export function moduleProblem(error: unknown): string {
  const code = errorCode(error);
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION') {
    return (
      `Node ${process.versions.node} does not run TypeScript; Node 22.18 or later does, or ` +
      'compile it first: npx tsc'
    );
  }
  return error instanceof Error ? `${error.name}: ${error.message}` : code;
}
