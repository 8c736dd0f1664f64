import { DatagramRequestHandler } from './datagram-request-handler.ts';

/** Answers a datagram with its first line. */
export default class EchoDatagramHandler extends DatagramRequestHandler {
  override async handle(): Promise<void> {
    const line = await this.rfile.readline();
    if (line !== null) await this.wfile.write(line);
  }
}
