import { EXIT } from './exit-code.ts';

/** Ends the command with one line on stderr and an exit status. */
export class CommandError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.failed, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }

  override get name(): string {
    return 'CommandError';
  }
}

/** The command was typed wrong: exit status 2. */
export function usageError(message: string): CommandError {
  return new CommandError(message, EXIT.usage);
}
