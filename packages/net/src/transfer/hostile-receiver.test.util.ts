import { createServer, type Socket } from '../socket/index.ts';
import { HostilePeer } from './hostile-peer.test.util.ts';
import { NODE_HASHES } from './protocol/block-hash.ts';
import { sendFiles } from './send-files.ts';
import { LOOPBACK } from './transfers.test.util.ts';

const [hash] = NODE_HASHES as [(typeof NODE_HASHES)[0] & object];

/** A receiver without manners, with a sender that has its yes. */
export class HostileReceiver extends HostilePeer {
  /** What became of the sender: the error that ended it, or its receipt. */
  readonly outcome: Promise<unknown>;

  private constructor(socket: Socket<number>, outcome: Promise<unknown>) {
    super(socket);
    this.outcome = outcome;
  }

  /** Lets `sendFiles` send paths, and says yes to what it offers. */
  static async accepting(paths: readonly string[]): Promise<HostileReceiver> {
    using listener = createServer(LOOPBACK);
    const { port } = listener.getsockname() as { port: number };
    const running = sendFiles(paths, { host: '127.0.0.1', port }, { insecure: true });
    const outcome = running.catch((error: unknown) => error);
    const [socket] = await listener.accept();
    const receiver = new HostileReceiver(socket, outcome);
    const hashes = [hash.name];
    await receiver.send({ type: 'hello', role: 'receiver', minVersion: 1, maxVersion: 1, hashes });
    await receiver.next('offer');
    await receiver.send({ type: 'answer', yes: true, reason: '' });
    return receiver;
  }
}
