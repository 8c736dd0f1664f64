import { type BlockHash, commonHash } from '../protocol/block-hash.ts';
import { malformed } from '../protocol/field-reader.ts';
import { PROTOCOL_VERSION } from '../protocol/limits.ts';
import type { Role } from '../protocol/message.ts';
import { TransferError } from '../transfer-error.ts';
import type { MessageWire } from '../wire/message-wire.ts';

/**
 * Both sides say who they are; returns the hash function that both have and the sender prefers.
 *
 * @throws TransferError `version`, `unsupported` where they have nothing in common
 */
export async function greet(
  wire: MessageWire,
  role: Role,
  hashes: readonly BlockHash[],
): Promise<BlockHash> {
  const names = hashes.map(({ name }) => name);
  const version = { minVersion: PROTOCOL_VERSION, maxVersion: PROTOCOL_VERSION };
  void wire.send({ type: 'hello', role, ...version, hashes: names });
  const hello = await wire.next();
  if (hello === undefined) {
    const hint = wire.encrypted ? '' : '; perhaps it wants a secret, and this side is insecure';
    const text = `Cannot greet ${wire.peer}: it closed the connection${hint}`;
    throw new TransferError('connection', text);
  }
  if (hello.type !== 'hello') malformed(`${hello.type} instead of hello`);
  if (hello.role === role) {
    throw new TransferError('protocol', `Cannot greet ${wire.peer}: both sides are the ${role}`);
  }
  if (hello.minVersion > PROTOCOL_VERSION || hello.maxVersion < PROTOCOL_VERSION) {
    throw new TransferError(
      'version',
      `Cannot greet ${wire.peer}: it speaks versions ${hello.minVersion} to ${hello.maxVersion}, this side ${PROTOCOL_VERSION}`,
    );
  }
  const [senders, receivers] = role === 'sender' ? [names, hello.hashes] : [hello.hashes, names];
  const common = hashes.find(({ name }) => name === commonHash(senders, receivers));
  if (common === undefined) {
    throw new TransferError('unsupported', `Cannot greet ${wire.peer}: no hash function in common`);
  }
  return common;
}
