import { StreamRequestHandler } from './stream-request-handler.ts';

/** Answers a line with itself. */
export default class EchoLineHandler extends StreamRequestHandler {
  override async handle(): Promise<void> {
    const line = await this.rfile.readline();
    if (line !== null) await this.wfile.write(line);
  }
}
