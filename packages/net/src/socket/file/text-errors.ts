/** What happens to bytes that are no text, and to text that has no bytes. */
export type TextErrors = 'strict' | 'ignore' | 'replace';

/** The error for bytes that are no text in the file's encoding. */
export function undecodable(encoding: string, byte?: number): Error {
  const what = byte === undefined ? 'the bytes received are' : `byte 0x${byte.toString(16)} is`;
  const error = new Error(`Cannot decode text: ${what} not valid ${encoding}`);
  return Object.assign(error, { code: 'ERR_ENCODING_INVALID_ENCODED_DATA' });
}

/** Turns bytes into text as they come. */
export interface Decoder {
  /** Set once invalid bytes ended the text; `decode` is not called again. */
  readonly failure: Error | undefined;
  /** What is cut off at the end of `bytes` waits for the next call, unless `final`. */
  decode(bytes: Buffer, final: boolean): string;
}

/** Turns text into bytes. */
export type Encode = (text: string) => Uint8Array;
