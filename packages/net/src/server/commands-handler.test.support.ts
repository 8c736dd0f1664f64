import { existsSync } from 'node:fs';
import { threadId } from 'node:worker_threads';
import { invalidValue } from '../errors/index.ts';
import { StreamRequestHandler } from './stream-request-handler.ts';

/**
 * Does what lines tell it: 'where', 'compute FILE' (as long as there is the file; says so before and
 * after), 'throw', 'die', 'hang', 'data', 'client'.
 */
export default class CommandsHandler extends StreamRequestHandler {
  override async handle(): Promise<void> {
    for await (const line of this.rfile) {
      const [command, argument] = line.toString().trim().split(' ');
      if (command === 'compute') await this.wfile.write(Buffer.from('computing\n'));
      await this.wfile.write(Buffer.from(`${await this.#run(command, argument)}\n`));
    }
  }

  #run(command: string | undefined, argument = ''): Promise<string> | string {
    switch (command) {
      case 'where':
        return `${process.pid}/${threadId}`;
      case 'compute':
        while (existsSync(argument));
        return 'computed';
      case 'throw':
        throw invalidValue('argument', 'nothing', argument);
      case 'die':
        return process.exit(7);
      case 'hang':
        return new Promise(() => undefined);
      case 'data':
        return JSON.stringify([this.server.handlerData, this.server.serverAddress]);
      case undefined:
      default:
        return JSON.stringify(this.clientAddress);
    }
  }
}
