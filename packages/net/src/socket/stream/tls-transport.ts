import { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { SHUT_WR } from '../../constants/index.ts';
import { TlsTruncatedError } from '../../errors/index.ts';
import { Handshake } from './handshake.ts';
import { RecordStream } from './record-stream.ts';
import { settle } from './settle.ts';
import { shutDown, STREAM_BYTES, type StreamSocket } from './stream-socket.ts';
import type { TlsOutput } from './tls-output.ts';
import type { TlsSide } from './tls-records.ts';

// Measured with `sockeye forward`: with 64 KiB it took a tenth more time.
const BULK_BYTES = 256 * 1024;
// A record of TLS.
const LITTLE_BYTES = 16 * 1024;

/**
 * What node:tls reads from and writes to: a connected stream socket.
 *
 * After a handshake of TLS 1.3 that it could follow, `handOver` takes the records away from node:tls.
 * Else node:tls goes on, and is not told how the connection ends: it makes the same 'end' of a
 * close_notify, which is signed, and of a FIN, which anybody between can send; and it throws away what
 * it has decrypted when the connection is reset. So the end of the connection goes to `hold`'s listener
 * instead: what node:tls then calls an end was a close_notify, and nothing is thrown away.
 */
export class TlsTransport extends Duplex {
  readonly #socket: StreamSocket;
  /**
   * While much comes. node:tls copies what it is given, so that one buffer is enough unless it wants
   * no more for now; who waits for little holds none.
   */
  #buffer: Buffer | undefined;
  #onEnd: ((error: Error) => void) | undefined;
  #sendFailure: Error | undefined;
  #isStopped = false;
  /** Whether node:tls has asked for more meanwhile. */
  #isAsked = false;
  /** While there may be something to hand over: what has come, of which node:tls gets one record at a time. */
  #handshake: Handshake | undefined = new Handshake();
  #output: TlsOutput | undefined;
  #onFlown: (() => void) | undefined;
  #isHandedOver = false;
  #isReceiving = false;
  readonly #recordsPerKey: number | undefined;

  /** @param recordsPerKey records that one key seals at most, once they are sealed here; for tests */
  constructor(socket: StreamSocket, recordsPerKey?: number) {
    // One byte: the next receive begins when node:tls has taken the one before.
    super({ allowHalfOpen: true, readableHighWaterMark: 1, writableHighWaterMark: BULK_BYTES });
    this.#socket = socket;
    this.#recordsPerKey = recordsPerKey;
  }

  /** Learns a secret of the handshake: a line of the TLSSocket's event 'keylog'. */
  learn(line: Buffer, tls: TLSSocket, side: TlsSide): void {
    this.#handshake?.learn(line, tls, side);
  }

  /**
   * Takes the records after the handshake away from node:tls, once it is over: undefined where that
   * is impossible (TLS 1.2, a cipher that is not known here, secrets that nobody has told).
   */
  handOver(): RecordStream | undefined {
    const handshake = this.#handshake;
    const keys = handshake?.keys();
    this.#output ??= handshake?.output();
    const output = this.#output;
    if (handshake === undefined || keys === undefined || output === undefined) return undefined;
    if (this.#isReceiving || !output.canHandOver) return undefined;
    const flown = output.isFinished
      ? this.#ticketsFlown()
      : new Promise<void>((resolve) => (this.#onFlown = resolve));
    const limited = { ...keys, recordsPerKey: this.#recordsPerKey };
    const stream = new RecordStream(this.#socket, limited, handshake.rest(), flown);
    output.handOver(stream.records);
    this.#isHandedOver = true;
    this.#handshake = undefined;
    this.#buffer = undefined;
    return stream;
  }

  /**
   * A server's tickets leave once node:tls has heard, a turn later, that its flight has left. They go
   * before what the server says: a client that has heard it and closes over tickets would reset.
   */
  async #ticketsFlown(): Promise<void> {
    await nextTurn();
    await nextTurn();
  }

  /** Why what was written since didn't leave. The stream goes on: the peer's last words may follow. */
  get sendFailure(): Error | undefined {
    return this.#sendFailure;
  }

  /**
   * From now on the connection's end is not passed on.
   *
   * @param onEnd is told once node:tls has had every byte: TlsTruncatedError for a FIN, else the
   *   error of the receive. It means nothing if node:tls has ended by then.
   */
  hold(onEnd: (error: Error) => void): void {
    this.#onEnd = onEnd;
    this.#handshake?.passOn();
    // Not now: node:tls is about to tell of its handshake's end.
    process.nextTick(() => {
      if (!this.#isStopped) this.go();
    });
  }

  /** Receives nothing more until `go`. */
  stop(): void {
    this.#isStopped = true;
  }

  go(): void {
    this.#isStopped = false;
    if (!this.#isAsked) return;
    this.#isAsked = false;
    this.#next();
  }

  override _read(): void {
    // Whoever reads asks for more before it gives away what it has; then node:tls has had that, too.
    if (this.#handshake === undefined) this.#next();
    else process.nextTick(() => this.#next());
  }

  #next(): void {
    if (this.#isHandedOver || this.destroyed) return;
    if (this.#isStopped || this.#handshake?.isOver === true) this.#isAsked = true;
    else if (!this.#pushRecord()) this.#receive();
  }

  /** During the handshake, what has come already. */
  #pushRecord(): boolean {
    const record = this.#handshake?.next();
    if (record !== undefined) this.push(record);
    else if (this.#handshake?.isPassedOn === true) this.#handshake = undefined;
    return record !== undefined;
  }

  #receive(): void {
    const buffer = this.#buffer;
    this.#isReceiving = true;
    const receiving =
      buffer === undefined
        ? this.#socket.recv(STREAM_BYTES)
        : this.#socket.recvInto(buffer).then((bytes) => buffer.subarray(0, bytes));
    receiving.then(
      (chunk) => {
        this.#isReceiving = false;
        if (this.destroyed) return;
        if (this.#handshake === undefined || chunk.length === 0) this.#take(chunk);
        else this.#takeHandshake(chunk);
      },
      (error: Error) => {
        if (!this.destroyed) this.#end(error);
      },
    );
  }

  #takeHandshake(chunk: Buffer): void {
    this.#handshake?.push(chunk);
    this.#next();
  }

  #take(chunk: Buffer): void {
    if (chunk.length === 0) {
      this.#end(undefined);
      return;
    }
    this.push(chunk);
    if (chunk.length < LITTLE_BYTES) this.#buffer = undefined;
    else if (this.#buffer === undefined ? chunk.length === STREAM_BYTES : this.readableLength > 0)
      this.#buffer = Buffer.allocUnsafeSlow(BULK_BYTES);
  }

  #end(error: Error | undefined): void {
    // What is no whole record.
    const rest = this.#handshake?.rest();
    if (rest !== undefined && rest.length > 0) this.push(rest);
    if (this.#onEnd !== undefined) this.#tell(error ?? new TlsTruncatedError());
    else if (error === undefined) this.push(null);
    else this.destroy(error);
  }

  /** Waits for what is held here because node:tls wants no more for now. */
  #tell(error: Error): void {
    if (this.destroyed) return;
    if (this.readableLength === 0) setImmediate(() => this.#onEnd?.(error));
    else if (this.isPaused()) this.once('resume', () => this.#tell(error));
    else setImmediate(() => this.#tell(error));
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#send([{ chunk }], done);
  }

  /** The sends of one turn leave together, so that there is no need to join the chunks. */
  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#send(chunks, done);
  }

  #send(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    try {
      const passed = chunks.flatMap(({ chunk }) => this.#passOn(chunk));
      this.#settle(Promise.all(passed.map((bytes) => this.#socket.sendall(bytes))), done);
    } catch (error) {
      done(error as Error);
    }
    if (this.#output?.isFinished === true) this.#onFlown?.();
  }

  /** What is sent for what node:tls writes. */
  #passOn(chunk: Buffer): Buffer[] {
    this.#output ??= this.#handshake?.output();
    return this.#output?.pass(chunk) ?? [chunk];
  }

  #settle(sent: Promise<unknown>, done: (error?: Error | null) => void): void {
    void settle(sent, (error) => {
      if (this.#onEnd !== undefined && error) this.#sendFailure ??= error;
      // What is yet to be received would be lost with it.
      done(this.#onEnd === undefined && !this.#isHandedOver ? error : undefined);
    });
  }

  override _final(done: (error?: Error | null) => void): void {
    try {
      if (!this.#socket.closed) shutDown(this.#socket, SHUT_WR);
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.close();
    // Who waits to send is told by the socket.
    this.#onFlown?.();
    done(error);
  }
}
