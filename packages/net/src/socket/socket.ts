import type { Duplex } from 'node:stream';
import type { ReadableStream, WritableStream } from 'node:stream/web';
import { native } from '@sockeye/native';
import {
  type Address,
  type AddressInput,
  type AddressInputOf,
  type AddressOf,
  encodeAddressInto,
} from '../address/index.ts';
import {
  type AF_INET,
  EADDRINUSE,
  EAGAIN,
  EBADF,
  SHUT_RDWR,
  SO_REUSEADDR,
  SOL_SOCKET,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOMAXCONN,
} from '../constants/index.ts';
import {
  checkBoolean,
  checkBytes,
  checkInteger,
  invalidState,
  invalidType,
  SocketError,
  TimeoutError,
} from '../errors/index.ts';
import { Accept } from './accept.ts';
import { type AlgRequest, algMessage } from './alg-message.ts';
import { type AncillaryMessage, checkAncillary } from './ancillary.ts';
import { connectTo } from './connect.ts';
import { CreationSite, forgetDropped, warnWhenDropped } from './creation-site.ts';
import { checkTimeout, getdefaulttimeout } from './default-timeout.ts';
import { Descriptor, type Wait } from './descriptor.ts';
import {
  type BinaryFileMode,
  SocketFile,
  type SocketFileOptions,
  type TextFileMode,
} from './file/index.ts';
import { interfaceNames } from './interface-names.ts';
import { isUdp } from './is-udp.ts';
import {
  checkAncillarySize,
  checkBuffers,
  type ReceivedMessage,
  type ReceivedMessageInto,
  receiveMessage,
  receiveMessageInto,
  sendMessage,
} from './message.ts';
import { checkMessages, type DatagramToSend, SendBatch } from './message-batch.ts';
import { NextDatagram } from './next-datagram.ts';
import { type Operation, START } from './operation.ts';
import { TypedOptions } from './options/index.ts';
import {
  checkFlags,
  checkSize,
  checkTarget,
  lastAddress,
  receive,
  receiveFrom,
  receiveFromInto,
  receiveInto,
  type Source,
  StreamReceiveInto,
} from './receive.ts';
import { ReceiveBatch, ReceiveBatchInto, type ReceivedDatagram } from './receive-batch.ts';
import { type HostAddress, lookUp, lookUpSync, needsLookup } from './resolve-address.ts';
import { addressIn, addressOut } from './scratch.ts';
import { sendOnce, type Target } from './send.ts';
import { SendAll } from './send-all.ts';
import { SendDatagram } from './send-datagram.ts';
import {
  checkRange,
  checkSendfile,
  type FileSource,
  SendFile,
  withFile,
  withFileSync,
} from './send-file.ts';
import { adoptDescriptor, checkKind, openSocket } from './open-socket.ts';
import { type DatagramSteps, type SocketItem, SocketIterator } from './socket-iterator.ts';
import { SocketOrigin } from './socket-origin.ts';
import { SocketDuplex, type SocketStreamOptions, WebStreams } from './stream/index.ts';
import { getBytesOption, getIntOption, setOption } from './socket-options.ts';

const TYPE_FLAGS = (SOCK_NONBLOCK as number) | (SOCK_CLOEXEC as number);
const DEFAULT_BACKLOG = Math.max(Math.min(SOMAXCONN, 4096), 128);
const MAX_INT = 0x7fffffff;
// No datagram of any family is longer than this by default (net.core.rmem_max is 208 KiB).
const MAX_DATAGRAM_BYTES = 1024 * 1024;

/** The last parameter of every method that waits. */
export interface WaitOptions {
  /** Ends the wait: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** A descriptor of the library's own: nothing about it needs to be found out. */
class OwnDescriptor {
  readonly descriptor: Descriptor;
  readonly fd: number;

  constructor(descriptor: Descriptor) {
    this.descriptor = descriptor;
    this.fd = descriptor.fd;
  }
}

/** What few sockets ever need; apart from them, since a server has one for each connection. */
class SeldomSocketState {
  options: TypedOptions | undefined;
  duplex: SocketDuplex | undefined;
  web: WebStreams | undefined;
  openFiles = 0;
  closesWithFiles = false;
}

export interface SocketOptions {
  /** A descriptor to adopt. Family, type and proto are detected where they are not given. */
  readonly fd?: number | undefined;
}

/**
 * A socket: an endpoint for communication.
 *
 * A method that can block returns a Promise and has a twin with the suffix Sync that blocks the
 * thread; both wait at most for the socket's timeout. Operations of one direction finish in the
 * order they were called. Until its promise settles, a buffer belongs to the operation.
 *
 * Source: socket(2), socket(7).
 *
 * @example
 * const listener = new Socket();
 * listener.bind({ host: '127.0.0.1', port: 0 });
 * listener.listen();
 * const client = new Socket();
 * await client.connect(listener.getsockname());
 * const [connection] = await listener.accept();
 * await client.sendall(Buffer.from('hello'));
 * assert.equal((await connection.recv(100)).toString(), 'hello');
 */
export class Socket<Family extends number = typeof AF_INET> implements Disposable, AsyncDisposable {
  readonly family: Family;
  readonly type: number;
  readonly proto: number;
  #descriptor: Descriptor;
  #timeout: number | null;
  #lastReceive: StreamReceiveInto | undefined;
  #seldom: SeldomSocketState | undefined;

  /**
   * Makes a socket, or adopts a descriptor.
   *
   * @param family such as AF_INET (the default), AF_INET6, AF_UNIX
   * @param type SOCK_STREAM (the default), SOCK_DGRAM, …; with SOCK_NONBLOCK the timeout is 0
   * @param proto 0 (the default) lets the kernel choose
   * @throws SocketError EAFNOSUPPORT, EPROTONOSUPPORT, EPERM, EMFILE, …; EBADF, ENOTSOCK for `fd`
   */
  constructor(family?: Family, type?: number, proto?: number, options: SocketOptions = {}) {
    if (options instanceof OwnDescriptor) {
      this.family = family as Family;
      this.type = type as number;
      this.proto = proto as number;
      this.#descriptor = options.descriptor;
      this.#timeout = getdefaulttimeout();
    } else {
      const kind = checkKind(family, type, proto, options);
      const opened = kind.fd === undefined ? openSocket(kind) : adoptDescriptor(kind.fd, kind);
      this.family = opened.family as Family;
      this.type = opened.type & ~TYPE_FLAGS;
      this.proto = opened.proto;
      this.#descriptor = new Descriptor(
        opened.fd,
        // Apart from the socket: what a descriptor holds must not keep it from being collected.
        new SocketOrigin(
          { family: this.family, type: this.type, proto: this.proto },
          new CreationSite(Socket),
        ),
      );
      this.#timeout =
        ((kind.type ?? 0) & (SOCK_NONBLOCK as number)) !== 0 ? 0 : getdefaulttimeout();
    }
    warnWhenDropped(this, this.#descriptor);
  }

  /** @internal */
  static descriptorOf<Family extends number>(socket: Socket<Family>): Descriptor {
    return socket.#descriptor;
  }

  /** @internal */
  static around(descriptor: Descriptor): Socket<number> {
    const { family, type, proto } = descriptor.kind;
    return new Socket(family, type, proto, new OwnDescriptor(descriptor));
  }

  /** @internal */
  [START]<Result>(operation: Operation<Result>): Promise<Result> {
    return this.#descriptor.start(operation, this.#wait(undefined));
  }

  get closed(): boolean {
    return this.#descriptor.closed || this.#seldom?.closesWithFiles === true;
  }

  /** The descriptor's number; -1 once closed or detached. */
  fileno(): number {
    return this.#descriptor.fd;
  }

  // ── addresses ──────────────────────────────────────────────────────────────────────────────────

  /**
   * Gives the socket its local address. A host name is looked up, which blocks.
   *
   * @throws SocketError EADDRINUSE, EADDRNOTAVAIL, EACCES, EINVAL (bound already)
   * Source: bind(2).
   */
  bind(address: AddressInputOf<Family>): void {
    const wanted = this.#lookUpSync(address)[0] as AddressInput;
    const length = encodeAddressInto(this.family, this.proto, wanted, addressIn, interfaceNames);
    const status = native.bind(this.#descriptor.fd, addressIn, length);
    if (status < 0) {
      const reusesAddress =
        status === -EADDRINUSE && getIntOption(this.#descriptor, SOL_SOCKET, SO_REUSEADDR) !== 0;
      throw this.#descriptor.error('bind', -status, { address, reusesAddress });
    }
  }

  /**
   * Takes connections from now on.
   *
   * @param backlog how many may wait to be accepted; the kernel caps it at net.core.somaxconn
   * Source: listen(2).
   */
  listen(backlog: number = DEFAULT_BACKLOG): void {
    const wanted = Math.max(checkInteger('backlog', backlog, -0x80000000, MAX_INT), 0);
    const status = native.listen(this.#descriptor.fd, wanted);
    if (status < 0) throw this.#descriptor.error('listen', -status);
  }

  /** The socket's own address. Source: getsockname(2). */
  getsockname(): AddressOf<Family> {
    const status = native.getsockname(this.#descriptor.fd, addressOut);
    if (status < 0) throw this.#descriptor.error('getsockname', -status);
    return lastAddress(this.proto) as AddressOf<Family>;
  }

  /**
   * The peer's address.
   *
   * @throws SocketError ENOTCONN
   * Source: getpeername(2).
   */
  getpeername(): AddressOf<Family> {
    const status = native.getpeername(this.#descriptor.fd, addressOut);
    if (status < 0) throw this.#descriptor.error('getpeername', -status);
    return lastAddress(this.proto) as AddressOf<Family>;
  }

  // ── connections ────────────────────────────────────────────────────────────────────────────────

  /**
   * Takes the next connection. Errors that belong to a connection that failed before it was taken
   * are passed over. The new socket has the default timeout, not the listener's.
   *
   * @returns the connection and the peer's address
   * @throws SocketError EMFILE, ENFILE, EINVAL (not listening); TimeoutError
   * Source: accept4(2).
   */
  accept(options?: WaitOptions): Promise<[Socket<Family>, AddressOf<Family>]> {
    return this.#start(() => this.#accept(), options);
  }

  /** `accept`, blocking the thread. */
  acceptSync(): [Socket<Family>, AddressOf<Family>] {
    return this.#block(this.#accept());
  }

  #accept(): Operation<[Socket<Family>, AddressOf<Family>]> {
    return new Accept(this.#descriptor, (descriptor, address) => [
      Socket.around(descriptor) as unknown as Socket<Family>,
      address as AddressOf<Family>,
    ]);
  }

  /**
   * Connects; for datagrams sets the peer. A host name is looked up and each of its addresses tried
   * in turn.
   *
   * @throws SocketError ECONNREFUSED, ENETUNREACH, EISCONN, …; AddressInfoError; TimeoutError
   * Source: connect(2).
   */
  connect(address: AddressInputOf<Family>, options?: WaitOptions): Promise<void> {
    const input = address;
    if (needsLookup(this.family, input)) return this.#connectByName(input, options);
    return this.#start(() => connectTo(this.#target, input), options);
  }

  async #connectByName(address: HostAddress, options?: WaitOptions): Promise<void> {
    const deadline = this.#deadline();
    const addresses = await this.#lookUp(address, options);
    let last: unknown;
    for (const candidate of addresses) {
      try {
        const wait = this.#wait(options, deadline);
        return await this.#descriptor.start(connectTo(this.#target, candidate), wait);
      } catch (error) {
        if (!(error instanceof SocketError) || error instanceof TimeoutError) throw error;
        last = error;
      }
    }
    throw last;
  }

  /** `connect`, blocking the thread. */
  connectSync(address: AddressInputOf<Family>): void {
    const deadline = this.#deadline();
    let last: unknown;
    for (const candidate of this.#lookUpSync(address)) {
      try {
        this.#descriptor.block(connectTo(this.#target, candidate), this.#left(deadline));
        return;
      } catch (error) {
        if (!(error instanceof SocketError) || error instanceof TimeoutError) throw error;
        last = error;
      }
    }
    throw last;
  }

  /**
   * Connects like `connect`, but gives the errno of a failed connection instead of an error: 0 for
   * success, EAGAIN when the timeout ran out, EINPROGRESS at once where the timeout is 0.
   *
   * @throws AddressInfoError, TypeError and RangeError as `connect` does
   */
  async connectEx(address: AddressInputOf<Family>, options?: WaitOptions): Promise<number> {
    if (this.#timeout === 0) return this.#connectAtOnce(address);
    try {
      await this.connect(address, options);
      return 0;
    } catch (error) {
      return connectErrno(error);
    }
  }

  /** `connectEx`, blocking the thread. */
  connectExSync(address: AddressInputOf<Family>): number {
    if (this.#timeout === 0) return this.#connectAtOnce(address);
    try {
      this.connectSync(address);
      return 0;
    } catch (error) {
      return connectErrno(error);
    }
  }

  #connectAtOnce(address: AddressInputOf<Family>): number {
    const wanted = this.#lookUpSync(address)[0] as AddressInput;
    const length = encodeAddressInto(this.family, this.proto, wanted, addressIn, interfaceNames);
    return -native.connect(this.#descriptor.fd, addressIn, length);
  }

  /**
   * Ends one direction or both. What `sendall` has queued leaves first.
   *
   * @param how SHUT_RD, SHUT_WR or SHUT_RDWR
   * @throws SocketError ENOTCONN
   * Source: shutdown(2).
   */
  shutdown(how: number): void {
    checkInteger('how', how, 0, SHUT_RDWR);
    this.#descriptor.flush();
    const status = native.shutdown(this.#descriptor.fd, how);
    if (status < 0) throw this.#descriptor.error('shutdown', -status);
  }

  // ── receiving ──────────────────────────────────────────────────────────────────────────────────

  /**
   * Receives up to `size` bytes.
   *
   * A timeout or an abort loses nothing: what comes later is there for the next call.
   *
   * @param size 0…2^31-1; a datagram that is longer is cut (see `recvmsg`, which tells)
   * @param flags MSG_PEEK, MSG_WAITALL, …
   * @returns a Buffer of its own; empty at the end of the stream
   * @throws SocketError ECONNRESET, ENOTCONN, …; TimeoutError; the signal's reason
   * Source: recv(2).
   */
  recv(size: number, flags: number = 0, options?: WaitOptions): Promise<Buffer> {
    try {
      const operation = receive(this.#source, checkSize(size), checkFlags(flags));
      return this.#descriptor.start(operation, this.#wait(options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** `recv`, blocking the thread. */
  recvSync(size: number, flags: number = 0): Buffer {
    return this.#block(receive(this.#source, checkSize(size), checkFlags(flags)));
  }

  /**
   * Receives into a buffer.
   *
   * @param size bytes at most; 0 or omitted is the whole buffer
   * @returns how many bytes were written; 0 at the end of the stream
   * @throws as `recv`; RangeError when `size` is larger than the buffer
   */
  recvInto(
    buffer: Uint8Array,
    size?: number,
    flags: number = 0,
    options?: WaitOptions,
  ): Promise<number> {
    try {
      // A loop that receives into the same buffer again and again has one operation.
      const again = this.#lastReceive?.isFor(buffer, size, flags) === true;
      const operation = again ? this.#lastReceive : this.#recvInto(buffer, size, flags);
      if (operation instanceof StreamReceiveInto) this.#lastReceive = operation;
      return this.#descriptor.start(operation as Operation<number>, this.#wait(options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** `recvInto`, blocking the thread. */
  recvIntoSync(buffer: Uint8Array, size?: number, flags: number = 0): number {
    return this.#block(this.#recvInto(buffer, size, flags));
  }

  #recvInto(buffer: Uint8Array, size: number | undefined, flags: number): Operation<number> {
    const [target, wanted] = checkTarget(buffer, size);
    return receiveInto(this.#source, target, wanted, checkFlags(flags));
  }

  /**
   * Receives a message and its sender's address.
   *
   * @returns the bytes and the address; null where the kernel gives none (a connected stream)
   * @throws as `recv`
   * Source: recvfrom(2).
   */
  recvfrom(
    size: number,
    flags: number = 0,
    options?: WaitOptions,
  ): Promise<[Buffer, AddressOf<Family> | null]> {
    return this.#start(() => this.#recvfrom(size, flags), options);
  }

  /** `recvfrom`, blocking the thread. */
  recvfromSync(size: number, flags: number = 0): [Buffer, AddressOf<Family> | null] {
    return this.#block(this.#recvfrom(size, flags));
  }

  #recvfrom(size: number, flags: number): Operation<[Buffer, AddressOf<Family> | null]> {
    const operation = receiveFrom(this.#source, checkSize(size), checkFlags(flags));
    return operation;
  }

  /** Receives a message into a buffer: `recvInto` with the sender's address. */
  recvfromInto(
    buffer: Uint8Array,
    size?: number,
    flags: number = 0,
    options?: WaitOptions,
  ): Promise<[number, AddressOf<Family> | null]> {
    return this.#start(() => this.#recvfromInto(buffer, size, flags), options);
  }

  /** `recvfromInto`, blocking the thread. */
  recvfromIntoSync(
    buffer: Uint8Array,
    size?: number,
    flags: number = 0,
  ): [number, AddressOf<Family> | null] {
    return this.#block(this.#recvfromInto(buffer, size, flags));
  }

  #recvfromInto(
    buffer: Uint8Array,
    size: number | undefined,
    flags: number,
  ): Operation<[number, AddressOf<Family> | null]> {
    const [target, wanted] = checkTarget(buffer, size);
    const operation = receiveFromInto(this.#source, target, wanted, checkFlags(flags));
    return operation;
  }

  /**
   * Receives a message with its ancillary data.
   *
   * @param size room for the data in bytes
   * @param ancillarySize room for control messages (see CMSG_SPACE); 0 receives none
   * @returns data, ancillary, the kernel's flags (MSG_TRUNC: the data was cut, MSG_CTRUNC: control
   *   messages were) and the sender's address or null
   * @throws as `recv`
   * Source: recvmsg(2), cmsg(3).
   */
  recvmsg(
    size: number,
    ancillarySize: number = 0,
    flags: number = 0,
    options?: WaitOptions,
  ): Promise<ReceivedMessage<AddressOf<Family>>> {
    return this.#start(() => this.#recvmsg(size, ancillarySize, flags), options);
  }

  /** `recvmsg`, blocking the thread. */
  recvmsgSync(
    size: number,
    ancillarySize: number = 0,
    flags: number = 0,
  ): ReceivedMessage<AddressOf<Family>> {
    return this.#block(this.#recvmsg(size, ancillarySize, flags));
  }

  #recvmsg(
    size: number,
    ancillarySize: number,
    flags: number,
  ): Operation<ReceivedMessage<AddressOf<Family>>> {
    return receiveMessage(
      this.#source,
      checkSize(size),
      checkAncillarySize(ancillarySize),
      checkFlags(flags),
    );
  }

  /** `recvmsg` into several buffers, one filled after the other. */
  recvmsgInto(
    buffers: Uint8Array[],
    ancillarySize: number = 0,
    flags: number = 0,
    options?: WaitOptions,
  ): Promise<ReceivedMessageInto<AddressOf<Family>>> {
    return this.#start(() => this.#recvmsgInto(buffers, ancillarySize, flags), options);
  }

  /** `recvmsgInto`, blocking the thread. */
  recvmsgIntoSync(
    buffers: Uint8Array[],
    ancillarySize: number = 0,
    flags: number = 0,
  ): ReceivedMessageInto<AddressOf<Family>> {
    return this.#block(this.#recvmsgInto(buffers, ancillarySize, flags));
  }

  #recvmsgInto(
    buffers: Uint8Array[],
    ancillarySize: number,
    flags: number,
  ): Operation<ReceivedMessageInto<AddressOf<Family>>> {
    return receiveMessageInto(
      this.#source,
      checkBuffers(buffers),
      checkAncillarySize(ancillarySize),
      checkFlags(flags),
    );
  }

  /**
   * Receives the datagrams that wait: at least one, at most `count` (and 64, and what 2 MiB have
   * room for: 33 of 64 KiB), in one system call.
   *
   * @param size room for each in bytes
   * @returns with UDP_GRO set, a message of several datagrams has their `segmentSize`
   * @throws as `recv`
   * Source: recvmmsg(2), udp(7).
   */
  recvmmsg(
    count: number,
    size: number,
    flags: number = 0,
    options?: WaitOptions,
  ): Promise<ReceivedDatagram<AddressOf<Family>>[]> {
    return this.#start(() => this.#recvmmsg(count, size, flags), options);
  }

  /** `recvmmsg`, blocking the thread. */
  recvmmsgSync(
    count: number,
    size: number,
    flags: number = 0,
  ): ReceivedDatagram<AddressOf<Family>>[] {
    return this.#block(this.#recvmmsg(count, size, flags));
  }

  #recvmmsg(
    count: number,
    size: number,
    flags: number,
  ): Operation<ReceivedDatagram<AddressOf<Family>>[]> {
    const operation: Operation<ReceivedDatagram[]> = new ReceiveBatch(
      this.#source,
      checkInteger('count', count, 1, MAX_INT),
      checkInteger('size', size, 0, MAX_DATAGRAM_BYTES),
      checkFlags(flags),
    );
    return operation;
  }

  /**
   * `recvmmsg` into the caller's memory: no byte is copied and no memory is made.
   *
   * @param buffer is cut into rooms of `size` bytes, at most 64
   * @returns messages whose `data` are views of `buffer`, valid until it is filled again; one that is as
   *   the one before in its room but for the bytes is the same object
   * @throws as `recv`; RangeError for a buffer shorter than `size`
   * Source: recvmmsg(2), udp(7).
   */
  recvmmsgInto(
    buffer: Uint8Array,
    size: number,
    flags: number = 0,
    options?: WaitOptions,
  ): Promise<ReceivedDatagram<AddressOf<Family>>[]> {
    return this.#start(() => this.#recvmmsgInto(buffer, size, flags), options);
  }

  /** `recvmmsgInto`, blocking the thread. */
  recvmmsgIntoSync(
    buffer: Uint8Array,
    size: number,
    flags: number = 0,
  ): ReceivedDatagram<AddressOf<Family>>[] {
    return this.#block(this.#recvmmsgInto(buffer, size, flags));
  }

  #recvmmsgInto(
    buffer: Uint8Array,
    size: number,
    flags: number,
  ): Operation<ReceivedDatagram<AddressOf<Family>>[]> {
    const target = checkBytes('buffer', buffer);
    const room = checkInteger('size', size, 1, Math.min(target.length, MAX_DATAGRAM_BYTES));
    const operation: Operation<ReceivedDatagram[]> = new ReceiveBatchInto(
      this.#source,
      target,
      room,
      checkFlags(flags),
    );
    return operation;
  }

  // ── sending ────────────────────────────────────────────────────────────────────────────────────

  /**
   * Sends bytes with one system call.
   *
   * Datagrams of up to 2 KiB over UDP and Unix sockets: the bytes are those at the call, whatever
   * becomes of the buffer after it (longer ones that wait for room are read as they leave). Those
   * that are sent without a wait between them, as by Promise.all, leave together once the calling
   * code has returned, each with a result of its own; over UDP eight and more in a row of one size to
   * one address leave as one segmented send, which a capture on this machine shows as one.
   *
   * @returns how many bytes the kernel took: on a stream it may be fewer than there are
   * @throws SocketError EPIPE, ECONNRESET, EMSGSIZE, ENOTCONN, …; TimeoutError
   * Source: send(2).
   */
  send(data: Uint8Array, flags: number = 0, options?: WaitOptions): Promise<number> {
    return this.#start(
      () => sendOnce(this.#target, checkBytes('data', data), checkFlags(flags)),
      options,
    );
  }

  /** `send`, blocking the thread. */
  sendSync(data: Uint8Array, flags: number = 0): number {
    return this.#block(sendOnce(this.#target, checkBytes('data', data), checkFlags(flags)));
  }

  /**
   * Sends all bytes. On a stream the sends of one turn of the event loop leave together (one above
   * 8 KiB by itself, where Nagle's algorithm holds nothing back behind it);
   * the bytes are read as they leave, so that the buffer must stay as it is until the promise settles.
   *
   * The promise settles when the kernel has taken everything. An error or an abort has `bytesSent`.
   * The timeout counts for the whole, not for each of its system calls.
   *
   * @throws as `send`
   */
  sendall(data: Uint8Array, flags: number = 0, options?: WaitOptions): Promise<void> {
    try {
      return this.#descriptor.start(this.#sendall(data, flags), this.#wait(options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** `sendall`, blocking the thread. */
  sendallSync(data: Uint8Array, flags: number = 0): void {
    this.#block(this.#sendall(data, flags));
  }

  #sendall(data: Uint8Array, flags: number): Operation<void> {
    return new SendAll(this.#descriptor, checkBytes('data', data), checkFlags(flags));
  }

  /**
   * Sends a message to an address. A host name is looked up. Datagrams leave together as with `send`.
   *
   * @returns how many bytes the kernel took
   * @throws SocketError EMSGSIZE, EACCES (broadcast without SO_BROADCAST), …; AddressInfoError
   * Source: sendto(2).
   */
  sendto(
    data: Uint8Array,
    address: AddressInputOf<Family>,
    flags: number = 0,
    options?: WaitOptions,
  ): Promise<number> {
    const input = address;
    if (needsLookup(this.family, input)) return this.#sendtoName(data, input, flags, options);
    try {
      const operation = new SendDatagram(
        this.#target,
        checkBytes('data', data),
        input,
        checkFlags(flags),
      );
      return this.#descriptor.start(operation, this.#wait(options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #sendtoName(
    data: Uint8Array,
    address: HostAddress,
    flags: number,
    options?: WaitOptions,
  ): Promise<number> {
    checkBytes('data', data);
    const deadline = this.#deadline();
    const [first] = await this.#lookUp(address, options);
    const operation = new SendDatagram(
      this.#target,
      data,
      first as AddressInput,
      checkFlags(flags),
    );
    return this.#descriptor.start(operation, this.#wait(options, deadline));
  }

  /** `sendto`, blocking the thread. */
  sendtoSync(data: Uint8Array, address: AddressInputOf<Family>, flags: number = 0): number {
    const bytes = checkBytes('data', data);
    const checked = checkFlags(flags);
    const [first] = this.#lookUpSync(address);
    return this.#block(new SendDatagram(this.#target, bytes, first as AddressInput, checked));
  }

  /**
   * Sends a message of several buffers with ancillary data.
   *
   * @param ancillary control messages: SCM_RIGHTS, SCM_CREDENTIALS, IP_PKTINFO, UDP_SEGMENT, …
   * @param address where to; omitted or null on a connected socket. A host name is looked up
   * @returns how many bytes the kernel took
   * @throws as `send`
   * Source: sendmsg(2), cmsg(3).
   */
  sendmsg(
    buffers: Uint8Array[],
    ancillary: readonly AncillaryMessage[] = [],
    flags: number = 0,
    address: AddressInputOf<Family> | null = null,
    options?: WaitOptions,
  ): Promise<number> {
    const input = address;
    if (input === null || !needsLookup(this.family, input)) {
      return this.#start(() => this.#sendmsg(buffers, ancillary, flags, input), options);
    }
    return this.#sendmsgToName(buffers, ancillary, flags, input, options);
  }

  async #sendmsgToName(
    buffers: Uint8Array[],
    ancillary: readonly AncillaryMessage[],
    flags: number,
    address: HostAddress,
    options?: WaitOptions,
  ): Promise<number> {
    const checked = [checkBuffers(buffers), checkAncillary(ancillary)] as const;
    const deadline = this.#deadline();
    const [first] = await this.#lookUp(address, options);
    const operation = this.#sendmsg(...checked, flags, first as AddressInput);
    return this.#descriptor.start(operation, this.#wait(options, deadline));
  }

  /** `sendmsg`, blocking the thread. */
  sendmsgSync(
    buffers: Uint8Array[],
    ancillary: readonly AncillaryMessage[] = [],
    flags: number = 0,
    address: AddressInputOf<Family> | null = null,
  ): number {
    const checked = [checkBuffers(buffers), checkAncillary(ancillary)] as const;
    const wanted = address === null ? null : (this.#lookUpSync(address)[0] as AddressInput);
    return this.#block(this.#sendmsg(...checked, flags, wanted));
  }

  #sendmsg(
    buffers: Uint8Array[],
    ancillary: readonly AncillaryMessage[],
    flags: number,
    address: AddressInput | null,
  ): Operation<number> {
    return sendMessage(
      this.#target,
      checkBuffers(buffers),
      checkAncillary(ancillary),
      checkFlags(flags),
      address,
    );
  }

  /**
   * Sends many datagrams with as few system calls as there can be; UDP neighbours of one size to
   * one address leave as a segmented send (UDP_SEGMENT).
   *
   * @param messages numeric addresses only; none on a connected socket
   * @returns how many messages were sent: all, or fewer when there is no room for more
   * @throws as `send`, when not even the first could be sent
   * Source: sendmmsg(2), udp(7).
   */
  sendmmsg(
    messages: readonly DatagramToSend<AddressInputOf<Family>>[],
    flags: number = 0,
    options?: WaitOptions,
  ): Promise<number> {
    return this.#start(() => this.#sendmmsg(messages, flags), options);
  }

  /** `sendmmsg`, blocking the thread. */
  sendmmsgSync(
    messages: readonly DatagramToSend<AddressInputOf<Family>>[],
    flags: number = 0,
  ): number {
    return this.#block(this.#sendmmsg(messages, flags));
  }

  #sendmmsg(
    messages: readonly DatagramToSend<AddressInputOf<Family>>[],
    flags: number,
  ): Operation<number> {
    const { family, type, proto } = this;
    // Spread out, a target has its shape made anew by V8 for each call.
    const target = { descriptor: this.#descriptor, family, type, proto };
    return new SendBatch(target, checkMessages(messages), checkFlags(flags));
  }

  /**
   * Sends a request to the kernel's crypto interface: data with the operation, the initialisation
   * vector and the length of the associated data that AF_ALG takes as control messages.
   *
   * @throws TypeError unless the family is AF_ALG
   * Source: linux/if_alg.h.
   */
  sendmsgAfalg(request: AlgRequest, options?: WaitOptions): Promise<number> {
    return this.#start(() => this.#sendmsgAfalg(request), options);
  }

  /** `sendmsgAfalg`, blocking the thread. */
  sendmsgAfalgSync(request: AlgRequest): number {
    return this.#block(this.#sendmsgAfalg(request));
  }

  #sendmsgAfalg(request: AlgRequest): Operation<number> {
    const { buffers, ancillary, flags } = algMessage(this.family, request);
    return this.#sendmsg(buffers, ancillary, flags, null);
  }

  /**
   * Sends a file, or a part of it, on a stream: by sendfile(2) where the file can be, else, and to
   * a peer on this host by TCP, by reading. A descriptor's position is left behind what was sent,
   * after an error too. What is not in memory yet is read from the disk by the thread pool, and so
   * holds up nobody else; a pipe or a terminal is read by this thread.
   *
   * @param file a path, a FileHandle or a descriptor
   * @param offset where to start, in bytes
   * @param count bytes at most; up to the end if omitted
   * @returns bytes sent
   * @throws as `sendall`, with `bytesSent`; TypeError unless the socket is a stream that may wait
   * Source: sendfile(2), preadv2(2).
   */
  sendfile(
    file: FileSource,
    offset: number = 0,
    count?: number | null,
    options?: WaitOptions,
  ): Promise<number> {
    return this.#sendfile(file, offset, count, options);
  }

  async #sendfile(
    file: FileSource,
    offset: number,
    count: number | null | undefined,
    options?: WaitOptions,
  ): Promise<number> {
    const [start, length] = checkRange(offset, count);
    checkSendfile(this.type === SOCK_STREAM, this.#timeout);
    const wait = this.#wait(options);
    return withFile(file, (fd) =>
      this.#descriptor.start(new SendFile(this.#descriptor, fd, start, length, false), wait),
    );
  }

  /** `sendfile`, blocking the thread. */
  sendfileSync(file: FileSource, offset: number = 0, count?: number | null): number {
    const [start, length] = checkRange(offset, count);
    checkSendfile(this.type === SOCK_STREAM, this.#timeout);
    return withFileSync(file, (fd) =>
      this.#block(new SendFile(this.#descriptor, fd, start, length, true)),
    );
  }

  // ── readiness ──────────────────────────────────────────────────────────────────────────────────

  /**
   * Waits until the socket is ready, and transfers nothing.
   *
   * @param events POLLIN, POLLOUT, POLLPRI, POLLRDHUP, together
   * @returns those of `events` that hold, and POLLERR and POLLHUP, which always count
   * @throws TimeoutError
   * Source: poll(2).
   */
  poll(events: number, options?: WaitOptions): Promise<number> {
    try {
      const wanted = checkInteger('events', events, 0, 0xffff);
      return this.#descriptor.poll(wanted, this.#wait(options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** `poll`, blocking the thread. */
  pollSync(events: number): number {
    return this.#descriptor.pollSync(checkInteger('events', events, 0, 0xffff), this.#timeout);
  }

  // ── options and modes ──────────────────────────────────────────────────────────────────────────

  /**
   * An option's value: as an int, or with `size` its bytes.
   *
   * @param level such as SOL_SOCKET, IPPROTO_TCP
   * @param name such as SO_REUSEADDR
   * @param size room for the value in bytes, 1…1024
   * @throws SocketError ENOPROTOOPT, EINVAL
   * Source: getsockopt(2), socket(7), tcp(7), ip(7).
   */
  getsockopt(level: number, name: number): number;
  getsockopt(level: number, name: number, size: number): Buffer;
  getsockopt(level: number, name: number, size?: number): number | Buffer {
    if (size === undefined || size === 0) return getIntOption(this.#descriptor, level, name);
    return getBytesOption(this.#descriptor, level, name, size);
  }

  /**
   * Sets an option.
   *
   * @param value a number or boolean is an int; bytes go as they are; null with `size` passes a
   *   null pointer
   * @throws SocketError ENOPROTOOPT, EINVAL, EPERM, …
   * Source: setsockopt(2).
   */
  setsockopt(
    level: number,
    name: number,
    value: number | boolean | Uint8Array | null,
    size?: number,
  ): void {
    setOption(this.#descriptor, level, name, value, size);
  }

  /** The options by name, each with its type: `socket.options.get('TCP_INFO').rttUs`. */
  get options(): TypedOptions {
    const own = this.#own;
    own.options ??= new TypedOptions(this.#descriptor, this);
    return own.options;
  }

  /**
   * Sets how long an operation may wait, from the next one on.
   *
   * @param seconds null waits for ever; 0 never waits: what would, fails with EAGAIN
   * @throws SocketError EBADF when the socket, or its descriptor elsewhere, was closed
   */
  settimeout(seconds: number | null): void {
    const timeout = checkTimeout('timeout', seconds);
    // The cheapest call that a closed descriptor fails.
    const status = native.getCloexec(this.#descriptor.fd);
    if (status < 0) throw this.#descriptor.error('fcntl', -status);
    this.#timeout = timeout;
  }

  /** The timeout in seconds, or null. */
  gettimeout(): number | null {
    return this.#timeout;
  }

  /** `settimeout(null)` for true, `settimeout(0)` for false. */
  setblocking(flag: boolean): void {
    this.settimeout(checkBoolean('flag', flag) ? null : 0);
  }

  /** Whether operations wait at all: `gettimeout() !== 0`. */
  getblocking(): boolean {
    return this.#timeout !== 0;
  }

  // ── life ───────────────────────────────────────────────────────────────────────────────────────

  /** Whether a program that this process starts gets the descriptor. Source: fcntl(2), FD_CLOEXEC. */
  getinheritable(): boolean {
    const status = native.getCloexec(this.#descriptor.fd);
    if (status < 0) throw this.#descriptor.error('fcntl', -status);
    return status === 0;
  }

  /** Sets that; sockets are born uninheritable. */
  setinheritable(flag: boolean): void {
    const status = native.setCloexec(this.#descriptor.fd, !checkBoolean('flag', flag));
    if (status < 0) throw this.#descriptor.error('fcntl', -status);
  }

  /**
   * Gives the descriptor away: the socket counts as closed, the descriptor stays open, blocking or
   * not as `getblocking()` says. What waits rejects with EBADF.
   *
   * @returns the descriptor; -1 when there was none any more
   */
  detach(): number {
    const fd = this.#descriptor.detach();
    forgetDropped(this.#descriptor);
    if (fd >= 0 && this.getblocking()) native.setNonblocking(fd, false);
    return fd;
  }

  /**
   * A second socket around a duplicate of the descriptor, with the same timeout.
   *
   * @throws SocketError EBADF, EMFILE
   * Source: dup(2).
   */
  dup(): Socket<Family> {
    const fd = native.dup(this.#descriptor.fd);
    if (fd < 0) throw this.#descriptor.error('dup', -fd);
    const copy = Socket.around(new Descriptor(fd, this.#descriptor.origin));
    copy.#timeout = this.#timeout;
    return copy as unknown as Socket<Family>;
  }

  /**
   * Makes a file of the socket, which reads and writes through buffers. With files open `close()`
   * marks the socket closed and leaves the descriptor to the last of them.
   *
   * @param mode 'r' (the default), 'w', 'rw' for text; 'rb', 'wb', 'rwb' for bytes
   * @throws TypeError ERR_INVALID_ARG_VALUE for another mode, or text without a buffer; SocketError
   *   EBADF
   * Source: Python's socket.makefile.
   *
   * @example
   * const [left, right] = socketpair();
   * right.sendSync(Buffer.from('one\ntwo'));
   * right.close();
   * const lines = [];
   * for await (const line of left.makefile()) lines.push(line);
   * assert.deepEqual(lines, ['one\n', 'two']);
   */
  makefile(mode: BinaryFileMode, options?: SocketFileOptions): SocketFile;
  makefile(mode?: TextFileMode, options?: SocketFileOptions): SocketFile<string>;
  makefile(
    mode: BinaryFileMode | TextFileMode = 'r',
    options?: SocketFileOptions,
  ): SocketFile | SocketFile<string> {
    if (this.#descriptor.closed) throw this.#descriptor.error('makefile', EBADF);
    const file = new SocketFile(this, mode, options, () => this.#fileClosed());
    this.#own.openFiles++;
    return file;
  }

  #fileClosed(): void {
    const own = this.#own;
    own.openFiles--;
    if (own.openFiles === 0 && own.closesWithFiles) this.#closeDescriptor();
  }

  /**
   * The socket as a Duplex of node:stream: the same one at every call, made as the first says. Let it
   * do all receiving and sending; `pipeline`, `tls.connect({ socket })` and `http` take it.
   *
   * @throws Error ERR_INVALID_STATE when the socket is closed, isn't SOCK_STREAM, or never waits
   *   (timeout 0)
   *
   * @example
   * const [left, right] = socketpair();
   * left.stream().end('hello');
   * assert.equal((await right.recv(10)).toString(), 'hello');
   */
  stream(options: SocketStreamOptions = {}): Duplex {
    const own = this.#own;
    own.duplex ??= new SocketDuplex(this.#checkStreamable(), options);
    return own.duplex;
  }

  /**
   * What is received, as a byte stream that fills buffers of the reader's own, too (BYOB). Ends with
   * the peer's FIN; cancelling shuts that direction down.
   *
   * @throws as `stream`
   */
  get readable(): ReadableStream<Uint8Array> {
    return this.#webStreams.readable;
  }

  /**
   * Sends what is written. Closing sends a FIN; aborting closes the socket. When `readable` has
   * ended, too, the socket is closed.
   *
   * @throws as `stream`
   */
  get writable(): WritableStream<Uint8Array> {
    return this.#webStreams.writable;
  }

  get #webStreams(): WebStreams {
    const own = this.#own;
    own.web ??= new WebStreams(this.#checkStreamable());
    return own.web;
  }

  #checkStreamable(): this {
    const why = this.closed
      ? 'the socket is closed'
      : this.type !== SOCK_STREAM
        ? 'the socket is not SOCK_STREAM'
        : this.#timeout === 0
          ? 'the socket never waits, its timeout is 0'
          : undefined;
    if (why !== undefined) throw invalidState(`Cannot make a stream: ${why}`);
    return this;
  }

  /** What waits, and a listening accept, keeps the process alive (the default). */
  ref(): this {
    this.#descriptor.setReferenced(true);
    return this;
  }

  /** What waits on this socket doesn't keep the process alive. */
  unref(): this {
    this.#descriptor.setReferenced(false);
    return this;
  }

  /**
   * Closes the socket; a second call does nothing. What `sendall` queued in this turn is sent
   * first, as far as the kernel takes it; what then still waits rejects with EBADF. While files of
   * `makefile` are open only `closed` changes; the last of them to close closes the descriptor.
   *
   * @throws SocketError EBADF when the number was closed elsewhere
   * Source: close(2).
   */
  close(): void {
    if (this.closed) return;
    const seldom = this.#seldom;
    if (seldom !== undefined && seldom.openFiles > 0) seldom.closesWithFiles = true;
    else this.#closeDescriptor();
  }

  #closeDescriptor(): void {
    if (this.#descriptor.closed) return;
    forgetDropped(this.#descriptor);
    this.#descriptor.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve().then(() => this.close());
  }

  /**
   * A listener yields connections with their addresses, a stream its bytes in chunks of up to
   * 64 KiB until its end, a datagram socket each message with its sender. Leaving the loop doesn't
   * close the socket; its `close()` ends the loop.
   *
   * On UDP a step receives up to 64 datagrams with one system call, those that UDP_GRO joined apart.
   * What the loop has not handed out when it is left goes to the next receives of this socket, in
   * order, without ancillary data; a descriptor that leaves (`detach()`) or has a twin (`dup()`)
   * doesn't carry it.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<SocketItem<Family>> {
    return new SocketIterator<Family>(
      this,
      this.#descriptor,
      isUdp(this) ? this.#datagramSteps() : undefined,
    );
  }

  #datagramSteps(): DatagramSteps<Family> {
    const descriptor = this.#descriptor;
    const next = new NextDatagram<Family>(this.#source);
    return {
      takeNow: () => (descriptor.reader.head === undefined ? next.takeAhead() : undefined),
      wait: () => descriptor.start(next, this.#wait(undefined)),
    };
  }

  // ── what the operations share ──────────────────────────────────────────────────────────────────

  get #own(): SeldomSocketState {
    this.#seldom ??= new SeldomSocketState();
    return this.#seldom;
  }

  get #target(): Target {
    return { descriptor: this.#descriptor, family: this.family, proto: this.proto };
  }

  get #source(): Source {
    return {
      descriptor: this.#descriptor,
      proto: this.proto,
      waitsForAll: this.#timeout === null && this.type === SOCK_STREAM,
    };
  }

  #start<Result>(make: () => Operation<Result>, options?: WaitOptions): Promise<Result> {
    try {
      return this.#descriptor.start(make(), this.#wait(options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #block<Result>(operation: Operation<Result>): Result {
    return this.#descriptor.block(operation, this.#timeout);
  }

  #wait(options: WaitOptions | undefined, deadline?: number): Wait {
    if (options === undefined && deadline === undefined) {
      return { timeout: this.#timeout, owner: this };
    }
    const timeout = deadline === undefined ? this.#timeout : this.#left(deadline);
    return { timeout, signal: checkSignal(options), owner: this };
  }

  /** When an operation of several steps has to be done, in the clock of performance.now(). */
  #deadline(): number {
    return this.#timeout === null
      ? Number.POSITIVE_INFINITY
      : performance.now() + this.#timeout * 1000;
  }

  /** The seconds until a deadline; more than 0 unless the socket never waits. */
  #left(deadline: number): number | null {
    if (this.#timeout === null || this.#timeout === 0) return this.#timeout;
    return Math.max(deadline - performance.now(), 1) / 1000;
  }

  async #lookUp(address: HostAddress, options?: WaitOptions): Promise<Address[]> {
    const signal = checkSignal(options);
    signal?.throwIfAborted();
    const found = await lookUp(this.family, address);
    signal?.throwIfAborted();
    return found;
  }

  #lookUpSync(address: AddressInputOf<Family>): AddressInput[] {
    const input = address;
    return needsLookup(this.family, input) ? lookUpSync(this.family, input) : [input];
  }
}

/** A socket for a descriptor that a layer of this package has had by itself so far. */
export function socketAround(descriptor: Descriptor): Socket<number> {
  return Socket.around(descriptor);
}

/** The descriptor of a socket, for the layers of this package that stand on it. */
export function descriptorOf<Family extends number>(socket: Socket<Family>): Descriptor {
  return Socket.descriptorOf(socket);
}

/** @internal */
export function checkSignal(options: WaitOptions | undefined): AbortSignal | undefined {
  if (options === undefined) return undefined;
  if (typeof options !== 'object' || options === null) {
    throw invalidType('options', 'an object', options);
  }
  const { signal } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidType('signal', 'an AbortSignal', signal);
  }
  return signal;
}

function connectErrno(error: unknown): number {
  if (error instanceof TimeoutError) return EAGAIN;
  if (error instanceof SocketError) return error.errno;
  throw error;
}
