import type { Command } from 'commander';
import type { Endpoint } from '../address/address.ts';
export interface Emitted { readonly command: 'connect' | 'listen' | 'forward' | 'serve'; readonly endpoint: Endpoint; readonly target?: Endpoint; readonly flags: object }
export function addEmitFlag(command: Command): Command {
  return command.option('--emit', 'print the TypeScript that this is equal to, and socat’s or nc’s line');
}
export function emit(_: Emitted): void {}
