/** `sizeof(struct sockaddr_storage)`: no address of any family is longer; socket.h(0P). */
export const MAX_ADDRESS_LENGTH = 128;

/** Where the family ends and its own part begins: `sa_family_t` has 16 bits on Linux. */
export const FAMILY_LENGTH = 2;

/** Whether the machine puts the low byte first. */
export const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Writes 16 bits in the machine's byte order. */
export function writeNative16(target: Uint8Array, offset: number, value: number): void {
  if (isLittleEndian) {
    target[offset] = value;
    target[offset + 1] = value >>> 8;
  } else write16(target, offset, value);
}

/** Writes 32 bits in the machine's byte order. */
export function writeNative32(target: Uint8Array, offset: number, value: number): void {
  if (isLittleEndian) {
    target[offset] = value;
    target[offset + 1] = value >>> 8;
    target[offset + 2] = value >>> 16;
    target[offset + 3] = value >>> 24;
  } else write32(target, offset, value);
}

/** Writes 16 bits in network byte order. */
export function write16(target: Uint8Array, offset: number, value: number): void {
  target[offset] = value >>> 8;
  target[offset + 1] = value;
}

/** Writes 32 bits in network byte order. */
export function write32(target: Uint8Array, offset: number, value: number): void {
  target[offset] = value >>> 24;
  target[offset + 1] = value >>> 16;
  target[offset + 2] = value >>> 8;
  target[offset + 3] = value;
}

/** The byte at an offset; 0 past the end, which callers rule out. */
export function byteAt(bytes: Uint8Array, offset: number): number {
  return bytes[offset] ?? 0;
}

/** Reads 16 bits in the machine's byte order. */
export function readNative16(bytes: Uint8Array, offset: number): number {
  if (!isLittleEndian) return read16(bytes, offset);
  return byteAt(bytes, offset) | (byteAt(bytes, offset + 1) << 8);
}

/** Reads an unsigned 32-bit number in the machine's byte order. */
export function readNative32(bytes: Uint8Array, offset: number): number {
  if (!isLittleEndian) return read32(bytes, offset);
  return (readNative16(bytes, offset) | (readNative16(bytes, offset + 2) << 16)) >>> 0;
}

/** Reads 16 bits in network byte order. */
export function read16(bytes: Uint8Array, offset: number): number {
  return (byteAt(bytes, offset) << 8) | byteAt(bytes, offset + 1);
}

/** Reads an unsigned 32-bit number in network byte order. */
export function read32(bytes: Uint8Array, offset: number): number {
  return ((read16(bytes, offset) << 16) | read16(bytes, offset + 2)) >>> 0;
}
