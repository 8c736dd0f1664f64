import type { Command } from 'commander';
import type { ProgramHooks } from '../program-hooks.ts';
import { addReceiveCommand } from './receive-command.ts';
import { addSendCommand } from './send-command.ts';
import { addVerifyCommand } from './verify-command.ts';

/** Adds `sockeye send`, `sockeye receive` and `sockeye verify`. */
export function addTransferCommands(program: Command, hooks: ProgramHooks): void {
  addSendCommand(program, hooks);
  addReceiveCommand(program, hooks);
  addVerifyCommand(program, hooks);
}
