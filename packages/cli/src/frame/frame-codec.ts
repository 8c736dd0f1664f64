import {
  type Codec,
  delimiter,
  fixedSize,
  jsonLines,
  lengthPrefix,
  type LengthPrefixOptions,
  lines,
  netstring,
} from '@sockeye/net/codec';
import { InvalidArgumentError } from 'commander';

/** A codec as a program has it. */
export interface EmittedFrame {
  /** The TypeScript that makes it. */
  readonly source: string;
  /** What its messages are. */
  readonly messages: 'bytes' | 'text' | 'json';
}

/** Cuts a stream into messages, each of which is bytes to the command. */
export interface FrameCodec extends Codec<Buffer, Uint8Array>, EmittedFrame {
  /** As it was typed: `json`, `fixed:3`. */
  readonly name: string;
}

type BytesCodec = Codec<Buffer, Uint8Array>;
type Form = BytesCodec & EmittedFrame;

/** The forms of `--frame`, for help and errors. */
export const FRAME_FORMS =
  'lines, length:1|2|4|8|varint[:little], netstring, json, fixed:BYTES, delimiter:HEX';

type LengthBytes = LengthPrefixOptions['bytes'];

const LENGTH_BYTES: ReadonlyMap<string, LengthBytes> = new Map<string, LengthBytes>([
  ['1', 1],
  ['2', 2],
  ['4', 4],
  ['8', 8],
  ['varint', 'varint'],
]);

/**
 * The codec that `--frame` names: `length:4`, `lines`, `netstring`, `json`, …
 *
 * @throws InvalidArgumentError
 */
export function parseFrame(text: string): FrameCodec {
  const codec = codecOf(text.split(':'));
  if (codec !== undefined) return { ...codec, name: text };
  throw new InvalidArgumentError(`Expected one of ${FRAME_FORMS}.`);
}

function codecOf([name, argument = '', order, ...more]: string[]): Form | undefined {
  if (more.length > 0 || (order !== undefined && name !== 'length')) return undefined;
  if (name === 'length') return lengthCodec(argument || '4', order);
  if (name === 'fixed' && /^[1-9]\d{0,6}$/.test(argument)) {
    const size = Number(argument);
    return asBytes(fixedSize({ size }), `fixedSize({ size: ${size} })`);
  }
  if (name === 'delimiter' && /^(0x)?([\da-f]{2})+$/i.test(argument)) {
    const hex = argument.replace(/^0x/i, '');
    return asBytes(delimiter(Buffer.from(hex, 'hex')), `delimiter(Buffer.from('${hex}', 'hex'))`);
  }
  if (argument !== '') return undefined;
  if (name === 'netstring') return asBytes(netstring(), 'netstring()');
  if (name === 'lines') {
    const same = (text: string): string => text;
    return { ...through(lines(), same, same), source: 'lines()', messages: 'text' };
  }
  if (name === 'json') {
    const codec = through(jsonLines(), (value) => JSON.stringify(value), parseJson);
    return { ...codec, source: 'jsonLines()', messages: 'json' };
  }
  return undefined;
}

function lengthCodec(size: string, order: string | undefined): Form | undefined {
  const bytes = LENGTH_BYTES.get(size);
  if (bytes === undefined || !['big', 'little', undefined].includes(order)) return undefined;
  const isLittle = order === 'little';
  const codec = lengthPrefix({ bytes, endian: isLittle ? 'little' : 'big' });
  const text = bytes === 'varint' ? "'varint'" : bytes;
  return asBytes(codec, `lengthPrefix({ bytes: ${text}${isLittle ? ", endian: 'little'" : ''} })`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new SyntaxError(`Cannot send message: ${(error as Error).message}`, { cause: error });
  }
}

function asBytes(codec: BytesCodec, source: string): Form {
  return { ...codec, source, messages: 'bytes' };
}

/** A codec of text or values, seen as one of bytes. */
function through<Message>(
  codec: Codec<Message>,
  show: (message: Message) => string,
  read: (text: string) => Message,
): BytesCodec {
  const encodeText = (data: Uint8Array): Message => read(Buffer.from(data).toString());
  return {
    encode: (data) => codec.encode(encodeText(data)),
    decoder() {
      const decoder = codec.decoder();
      function* shown(messages: Iterable<Message> | void): Iterable<Buffer> {
        for (const message of messages ?? []) yield Buffer.from(show(message));
      }
      return {
        push: (chunk) => shown(decoder.push(chunk)),
        end: () => shown(decoder.end()),
      };
    },
  };
}
