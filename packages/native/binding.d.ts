/**
 * The native core: one function for each system call, and the poller. It decides nothing.
 * A number below 0 is -errno. Buffers are read or written inside the call only.
 * Where a function fills an address in (`addressOut`), its first four bytes get the length and the
 * sockaddr follows; the view must be 132 bytes long.
 */
export interface RawAddressInfo {
  family: number;
  type: number;
  proto: number;
  canonname: string;
  address: Uint8Array;
}

export interface RawHost {
  hostname: string;
  aliases: string[];
  family: number;
  addresses: Uint8Array[];
}

/** Numbers that the calls on files take; -1 for what the system lacks. */
export type FileConstant =
  | 'RESOLVE_BENEATH'
  | 'RESOLVE_NO_SYMLINKS'
  | 'RESOLVE_NO_MAGICLINKS'
  | 'RENAME_NOREPLACE'
  | 'O_PATH'
  | 'O_RDONLY'
  | 'O_RDWR'
  | 'O_CREAT'
  | 'O_EXCL'
  | 'O_DIRECTORY'
  | 'O_NOFOLLOW'
  | 'O_NONBLOCK'
  | 'AT_FDCWD'
  | 'AT_REMOVEDIR'
  | 'SEEK_DATA'
  | 'SEEK_HOLE'
  | 'LOCK_EX'
  | 'LOCK_UN';

declare const packetRing: unique symbol;
/** A packet socket's ring; opaque. */
export interface PacketRing {
  readonly [packetRing]: true;
}

declare const tlsKey: unique symbol;
/** The key of one direction of TLS 1.3, with the number of its next record; opaque. */
export interface TlsKey {
  readonly [tlsKey]: true;
}

export interface Native {
  // socket
  socket(family: number, type: number, protocol: number): number;
  socketpair(family: number, type: number, protocol: number, pair: Int32Array): number;
  own(fd: number): number;
  disown(fd: number): number;
  close(fd: number): number;
  dup(fd: number): number;
  setNonblocking(fd: number, on: boolean): number;
  getNonblocking(fd: number): number;
  setCloexec(fd: number, on: boolean): number;
  getCloexec(fd: number): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  connect(fd: number, address: Uint8Array, length: number): number;
  listen(fd: number, backlog: number): number;
  accept4(fd: number, addressOut: Uint8Array): number;
  shutdown(fd: number, how: number): number;
  getsockname(fd: number, addressOut: Uint8Array): number;
  getpeername(fd: number, addressOut: Uint8Array): number;
  getsockopt(fd: number, level: number, name: number, value: Uint8Array): number;
  setsockopt(
    fd: number,
    level: number,
    name: number,
    value: Uint8Array | null,
    size: number,
  ): number;
  descriptorLimit(): number;
  attachFilter(fd: number, level: number, name: number, program: Uint8Array): number;
  poll(fd: number, events: number, timeoutMs: number): number;
  pollMany(set: Int32Array, count: number): number;
  // transfer
  recv(fd: number, buffer: Uint8Array, offset: number, length: number, flags: number): number;
  recvfrom(
    fd: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    flags: number,
    addressOut: Uint8Array,
  ): number;
  send(fd: number, buffer: Uint8Array, offset: number, length: number, flags: number): number;
  sendto(
    fd: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    flags: number,
    address: Uint8Array,
    addressLength: number,
  ): number;
  sendBatch(words: Int32Array, count: number, buffer: Uint8Array): void;
  sendfile(out: number, file: number, offset: number, count: number): number;
  lseek(file: number, offset: number): number;
  pipe2(ends: Int32Array): number;
  setPipeSize(fd: number, size: number): number;
  splice(from: number, to: number, count: number): number;
  relay(from: number, to: number, buffer: Uint8Array, limit: number, outcome: Int32Array): void;
  // message
  recvmsg(
    fd: number,
    buffers: Uint8Array[],
    control: Uint8Array | null,
    flags: number,
    addressOut: Uint8Array,
    meta: Int32Array,
  ): number;
  sendmsg(
    fd: number,
    buffers: Uint8Array[],
    skip: number,
    control: Uint8Array | null,
    flags: number,
    address: Uint8Array | null,
    addressLength: number,
  ): number;
  recvmmsg(
    fd: number,
    buffer: Uint8Array,
    size: number,
    count: number,
    flags: number,
    addresses: Uint8Array,
    meta: Int32Array,
    pack: boolean,
  ): number;
  sendmmsg(
    fd: number,
    buffer: Uint8Array,
    words: Int32Array,
    count: number,
    flags: number,
    addresses: Uint8Array,
  ): number;
  sendDatagrams(
    fd: number,
    words: Int32Array,
    count: number,
    buffer: Uint8Array,
    segment: boolean,
  ): void;
  // poller
  pollerStart(onBatch: (count: number) => void, onFlush: () => void, memory: ArrayBuffer[]): number;
  pollerGrow(poller: number, slots: number): ArrayBuffer;
  pollerWatch(poller: number, slot: number, fd: number, events: number): number;
  pollerRewatch(poller: number, slot: number, events: number): number;
  pollerUnwatch(poller: number, slot: number): number;
  pollerRef(poller: number, on: boolean): void;
  pollerFlush(poller: number): void;
  // names
  getaddrinfo(
    host: string | null,
    service: string | null,
    family: number,
    type: number,
    proto: number,
    flags: number,
  ): Promise<RawAddressInfo[] | number>;
  getaddrinfoSync(
    host: string | null,
    service: string | null,
    family: number,
    type: number,
    proto: number,
    flags: number,
  ): RawAddressInfo[] | number;
  getnameinfo(
    address: Uint8Array,
    flags: number,
  ): Promise<{ host: string; service: string } | number>;
  getnameinfoSync(address: Uint8Array, flags: number): { host: string; service: string } | number;
  gethostbyname(name: string): Promise<RawHost | number>;
  gethostbynameSync(name: string): RawHost | number;
  gethostbyaddr(address: Uint8Array, family: number): Promise<RawHost | number>;
  gethostbyaddrSync(address: Uint8Array, family: number): RawHost | number;
  getservbyname(name: string, protocol: string | null): number;
  getservbyport(port: number, protocol: string | null): string | null;
  getprotobyname(name: string): number;
  gethostname(): string | number;
  sethostname(name: Uint8Array): number;
  ifNameindex(): { index: number; name: string }[] | number;
  ifNametoindex(name: string): number;
  ifIndextoname(index: number): string | number;
  // file: on the thread pool; a descriptor that came belongs to nobody until `own`
  openat2(
    directory: number,
    path: string,
    flags: number,
    mode: number,
    resolve: number,
  ): Promise<number>;
  closeFile(fd: number): Promise<number>;
  mkdirat(directory: number, name: string, mode: number): Promise<number>;
  renameat2(
    from: number,
    oldName: string,
    to: number,
    newName: string,
    flags: number,
  ): Promise<number>;
  unlinkat(directory: number, name: string, flags: number): Promise<number>;
  seekFile(fd: number, offset: number, whence: number): Promise<number>;
  isInMemory(file: number, offset: number, count: number): boolean;
  readAhead(file: number, offset: number, count: number): Promise<number>;
  spliceToFile(pipe: number, file: number, count: number): Promise<number>;
  futimens(fd: number, seconds: number, nanoseconds: number): Promise<number>;
  finishFile(
    fd: number,
    size: number,
    mode: number,
    seconds: number,
    nanoseconds: number,
  ): Promise<number>;
  flock(fd: number, operation: number): Promise<number>;
  fstatvfs(fd: number): Promise<{ availableBytes: number; availableFiles: number } | number>;
  // batches of directories and files in one go; what the bytes mean is above each in the source
  listDirectory(fd: number): Promise<Uint8Array | number>;
  listDirectories(directory: number, plan: Uint8Array): Promise<Uint8Array | number>;
  makeDirectories(directory: number, plan: Uint8Array): Promise<Uint8Array | number>;
  finishDirectories(
    directory: number,
    plan: Uint8Array,
    working: number,
  ): Promise<Uint8Array | number>;
  readFiles(directory: number, path: string, plan: Uint8Array): Promise<Uint8Array | number>;
  putFiles(directory: number, path: string, plan: Uint8Array): Promise<Uint8Array | number>;
  fileConstants(): Record<FileConstant, number>;
  // capture
  packetRingMap(fd: number, blockBytes: number, blocks: number): PacketRing | number;
  packetRingTake(ring: PacketRing, buffer: Uint8Array): number;
  packetRingUnmap(ring: PacketRing): void;
  dropCapability(capability: number): number;
  // TLS records: what `outcome` holds is above each in the source
  createTlsKey(cipher: string, key: Uint8Array, iv: Uint8Array, seals: boolean): TlsKey | undefined;
  openTlsRecords(
    key: TlsKey,
    sealed: Uint8Array,
    from: number,
    length: number,
    target: Uint8Array,
    at: number,
    room: number,
    outcome: Int32Array,
  ): void;
  sealTlsRecords(
    sealingKey: TlsKey,
    type: number,
    content: Uint8Array,
    from: number,
    length: number,
    target: Uint8Array,
    at: number,
  ): number;
}

export declare const native: Native;
