/** An error in a form that any thread or process can be told of. */
export interface ErrorReport {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly code?: string | undefined;
}

// Arbitrary: enough for any stack, too little to fill the channel.
const MAX_TEXT = 8_192;

/** What a handler in another thread or process threw: its name, message, code and stack. */
export class HandlerError extends Error {
  readonly code?: string;
  readonly #name: string;

  constructor({ name, message, stack, code }: ErrorReport) {
    super(message);
    this.#name = name;
    this.stack = stack;
    if (code !== undefined) this.code = code;
  }

  override get name(): string {
    return this.#name;
  }
}

const text = (value: unknown): string => String(value).slice(0, MAX_TEXT);

/** The report of whatever was thrown. */
export function reportOf(error: unknown): ErrorReport {
  if (!(error instanceof Error)) return { name: 'Error', message: text(error), stack: text(error) };
  const { code } = error as { code?: unknown };
  return {
    name: text(error.name),
    message: text(error.message),
    stack: text(error.stack ?? error.message),
    code: typeof code === 'string' ? code : undefined,
  };
}
