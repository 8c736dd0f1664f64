import {
  AF_ALG,
  ALG_SET_AEAD_ASSOCLEN,
  ALG_SET_IV,
  ALG_SET_OP,
  SOL_ALG,
} from '../constants/index.ts';
import { checkBytes, checkInteger, invalidType, invalidValue } from '../errors/index.ts';
import type { AncillaryMessage } from './ancillary.ts';
import { checkBuffers } from './message.ts';
import { checkFlags } from './receive.ts';

const MAX_UINT = 0xffffffff;

/** A request to an AF_ALG operation socket. */
export interface AlgRequest {
  /** The data; none if omitted (with MSG_MORE, say). */
  readonly buffers?: Uint8Array[] | undefined;
  /** ALG_OP_ENCRYPT or ALG_OP_DECRYPT. */
  readonly op: number;
  /** The initialisation vector. */
  readonly iv?: Uint8Array | undefined;
  /** How many bytes at the start are authenticated only (AEAD). */
  readonly assoclen?: number | undefined;
  readonly flags?: number | undefined;
}

function word(type: number, value: number, rest: Uint8Array = new Uint8Array(0)): AncillaryMessage {
  const data = Buffer.alloc(4 + rest.length);
  data.writeUInt32LE(value);
  data.set(rest, 4);
  return { level: SOL_ALG, type, data };
}

/** The sendmsg that carries a request. Each parameter is a control message of linux/if_alg.h. */
export function algMessage(
  family: number,
  request: AlgRequest,
): { buffers: Uint8Array[]; ancillary: AncillaryMessage[]; flags: number } {
  if (family !== AF_ALG) throw invalidValue('sendmsgAfalg', 'a socket of family AF_ALG', family);
  if (typeof request !== 'object' || request === null) {
    throw invalidType('request', '{ op, buffers, iv, assoclen, flags }', request);
  }
  const { buffers = [], op, iv, assoclen, flags = 0 } = request;
  const ancillary = [word(ALG_SET_OP, checkInteger('op', op, 0, MAX_UINT))];
  if (iv !== undefined) {
    const bytes = checkBytes('iv', iv);
    ancillary.push(word(ALG_SET_IV, bytes.length, bytes));
  }
  if (assoclen !== undefined) {
    const length = checkInteger('assoclen', assoclen, 0, MAX_UINT);
    ancillary.push(word(ALG_SET_AEAD_ASSOCLEN, length));
  }
  return { buffers: checkBuffers(buffers), ancillary, flags: checkFlags(flags) };
}
