import { createConnection } from '../socket/index.ts';
import { HostilePeer } from './hostile-peer.test.util.ts';
import type { Entry, Message, Whole } from './protocol/message.ts';
import { NODE_HASHES } from './protocol/block-hash.ts';
import { MerkleRoot } from './protocol/merkle-root.ts';
import { sealOf } from './protocol/seal.ts';

const [hash] = NODE_HASHES as [(typeof NODE_HASHES)[0] & object];

/** A sender without manners. */
export class HostileSender extends HostilePeer {
  static async connect(port: number): Promise<HostileSender> {
    const socket = await createConnection({ host: '127.0.0.1', port });
    return new HostileSender(socket);
  }

  /** Connects and offers so much that everything fits. */
  static async offering(port: number, entries = 1000): Promise<HostileSender> {
    const sender = await HostileSender.connect(port);
    const hashes = [hash.name];
    await sender.send({ type: 'hello', role: 'sender', minVersion: 1, maxVersion: 1, hashes });
    await sender.send({ type: 'offer', entries, bytes: 2 ** 40, names: [] });
    await sender.next('answer');
    return sender;
  }

  /** Offers and sends a small file; gives what the receiver says of it at last. */
  async sendFile(entry: Entry, content: Buffer): Promise<Message | undefined> {
    await this.send({ type: 'entry', entry });
    const said = await this.next('accept', 'refuse', 'failure');
    if (said?.type !== 'accept') return said;
    const tree = new MerkleRoot(hash, content.length);
    const { id } = entry;
    const digest = hash.digest(content);
    if (content.length > 0) {
      await this.send({ type: 'block', id, index: 0, hash: digest, payload: content });
      tree.push(digest);
    }
    const root = tree.digest();
    await this.send({ type: 'end', id, root, seal: sealOf(hash, entry, root) });
    return this.next('ack', 'refuse', 'failure');
  }

  /** Offers a small file with its content; what is given replaces what would be right. */
  async sendWhole(entry: Entry, payload: Buffer, lie: Partial<Whole> = {}): Promise<void> {
    const tree = new MerkleRoot(hash, payload.length);
    if (payload.length > 0) tree.push(hash.digest(payload));
    const root = tree.digest();
    const seal = sealOf(hash, entry, root);
    await this.send({ type: 'whole', entry, root, seal, payload, ...lie });
  }

  /** Sends a file's only block and its end, after an ACCEPT. */
  async sendRest(entry: Entry, payload: Buffer, root: Buffer): Promise<Message | undefined> {
    const { id } = entry;
    await this.send({ type: 'block', id, index: 0, hash: hash.digest(payload), payload });
    await this.send({ type: 'end', id, root, seal: sealOf(hash, entry, root) });
    return this.next('ack', 'refuse', 'failure');
  }
}

/** A file's entry without anything special. */
export function plainEntry(path: readonly string[], size: number, id = 0): Entry {
  const time = { mtimeSeconds: 1, mtimeNanoseconds: 0 };
  return { id, kind: 'file', path, size, mode: 0o644, ...time, sparse: false };
}
