import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket as NetSocket } from 'node:net';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { TemporaryDirectory } from '../testing/index.ts';
import { type ReceiveEvent, receiveFiles, type ReceiveOptions } from './receive-files.ts';
import { sendFiles, type SendOptions } from './send-files.ts';
import type { TransferEvent } from './transfer-event.ts';
import type { TransferReceipt } from './receipt.ts';

export const LOOPBACK = { host: '127.0.0.1', port: 0 };
export const MIB = 1024 * 1024;

/** Where files come from and where they go. */
export class TwoDirectories implements Disposable {
  readonly #directory = new TemporaryDirectory();
  readonly source = this.#directory.file('source');
  readonly inbox = this.#directory.file('inbox');

  constructor() {
    mkdirSync(this.source);
    mkdirSync(this.inbox);
  }

  /** Writes a source file; a number stands for as many random bytes. */
  write(name: string, content: string | number | Buffer): string {
    const path = join(this.source, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === 'number' ? randomBytes(content) : content);
    return path;
  }

  [Symbol.dispose](): void {
    this.#directory[Symbol.dispose]();
  }
}

/** What both sides said of one transfer. */
export interface Transfer {
  readonly receipt: TransferReceipt;
  readonly receiverReceipt: TransferReceipt | undefined;
  readonly events: readonly TransferEvent[];
  readonly receiverEvents: readonly ReceiveEvent[];
}

export interface TransferOptions {
  readonly send?: SendOptions;
  readonly receive?: ReceiveOptions;
  /** Gives the port that stands before the receiver's. */
  readonly through?: (port: number) => Promise<number>;
}

/** Sends paths to a receiver that takes one transfer. Plain, unless the options say more. */
export async function transfer(
  paths: readonly string[],
  inbox: string,
  options: TransferOptions = {},
): Promise<Transfer> {
  const events: TransferEvent[] = [];
  const receiverEvents: ReceiveEvent[] = [];
  const protection = options.receive?.secret === undefined ? { insecure: true } : {};
  await using receiver = await receiveFiles(inbox, LOOPBACK, {
    ...protection,
    once: true,
    onEvent: (event) => receiverEvents.push(event),
    ...options.receive,
  });
  const { port } = receiver.address as { port: number };
  const to = { host: '127.0.0.1', port: (await options.through?.(port)) ?? port };
  const receipt = await sendFiles(paths, to, {
    ...protection,
    ...(options.receive?.secret !== undefined && { secret: options.receive.secret }),
    onEvent: (event) => events.push(event),
    ...options.send,
  });
  return { receipt, receiverReceipt: await receiver.finished(), events, receiverEvents };
}

/** All files below a directory by their path, with their content; one that vanishes is left out. */
export function contents(directory: string): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' }).toSorted()) {
    try {
      files.set(name, readFileSync(join(directory, name)));
    } catch (error) {
      if (!['EISDIR', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
  return files;
}

/** What a proxy does with the bytes that go one way. */
export type Tamper = (chunk: Buffer, offset: number, close: () => void) => Buffer;

/** A TCP proxy in front of a port, for one connection after the other. */
export class Proxy implements Disposable {
  /** Bytes from the sender. */
  bytes = 0;
  readonly #server = createServer({ pauseOnConnect: true });
  readonly #sockets = new Set<NetSocket>();
  readonly #tamper: Tamper;
  readonly #tamperBack: Tamper;

  /** @param tamperBack what it does with the bytes that come back to the sender */
  constructor(tamper: Tamper = (chunk) => chunk, tamperBack: Tamper = (chunk) => chunk) {
    this.#tamper = tamper;
    this.#tamperBack = tamperBack;
  }

  async listen(port: number): Promise<number> {
    this.#server.removeAllListeners('connection').on('connection', (near) => {
      const far = connect(port, '127.0.0.1');
      const close = (): void => {
        near.destroy();
        far.destroy();
      };
      let offset = 0;
      for (const socket of [near, far]) this.#sockets.add(socket.on('error', close));
      near.on('data', (chunk) => {
        this.bytes += chunk.length;
        const changed = this.#tamper(chunk, offset, close);
        offset += chunk.length;
        if (!far.destroyed && !far.write(changed)) {
          near.pause();
          far.once('drain', () => near.resume());
        }
      });
      near.on('end', () => far.end()).resume();
      let offsetBack = 0;
      far.on('data', (chunk) => {
        if (!near.destroyed) near.write(this.#tamperBack(chunk, offsetBack, close));
        offsetBack += chunk.length;
      });
      far.on('end', () => near.end());
    });
    if (!this.#server.listening) {
      this.#server.listen(0, '127.0.0.1');
      await once(this.#server, 'listening');
    }
    return (this.#server.address() as { port: number }).port;
  }

  [Symbol.dispose](): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
