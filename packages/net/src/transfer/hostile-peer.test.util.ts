import { lengthPrefix } from '../codec/index.ts';
import type { Socket } from '../socket/index.ts';
import { decodeMessage } from './protocol/decode-message.ts';
import { encodeMessage } from './protocol/encode-message.ts';
import { MAX_FRAME_BYTES } from './protocol/limits.ts';
import type { Message } from './protocol/message.ts';

/** A side without manners: whatever it is told to, it sends. */
export class HostilePeer {
  readonly #socket: Socket<number>;
  readonly #decoder = lengthPrefix({
    bytes: 4,
    maxFrameBytes: MAX_FRAME_BYTES,
    copy: true,
  }).decoder();
  #messages: Message[] = [];

  constructor(socket: Socket<number>) {
    this.#socket = socket;
  }

  async send(message: Message): Promise<void> {
    const head = encodeMessage(message);
    const payload = 'payload' in message ? message.payload : Buffer.alloc(0);
    await this.#socket.sendall(Buffer.concat([head, payload]));
  }

  sendBytes(bytes: Buffer): Promise<void> {
    return this.#socket.sendall(bytes);
  }

  /** The next message of a type; undefined when the other side has closed. */
  async next(...types: Message['type'][]): Promise<Message | undefined> {
    for (;;) {
      const message = this.#messages.shift();
      if (message === undefined) {
        const chunk = await this.#socket.recv(65536).catch(() => Buffer.alloc(0));
        if (chunk.length === 0) return undefined;
        this.#messages.push(...[...this.#decoder.push(chunk)].map((body) => decodeMessage(body)));
      } else if (types.length === 0 || types.includes(message.type)) return message;
    }
  }

  close(): void {
    this.#socket.close();
  }
}
