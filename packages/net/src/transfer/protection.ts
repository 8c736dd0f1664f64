import { invalidType, invalidValue } from '../errors/index.ts';
import type { Socket } from '../socket/index.ts';
import { setNoDelay } from '../socket/set-no-delay.ts';
import { secretKey } from './wire/pairing-secret.ts';
import { secureClient, secureServer } from './wire/secure.ts';
import { SocketWire } from './wire/socket-wire.ts';
import { widenSendBuffer } from './wire/widen-send-buffer.ts';
import type { Wire } from './wire/wire.ts';

/** How the connection is protected: one of the two has to be said. */
export interface ProtectionOptions {
  /** The pairing secret that both sides have: TLS 1.3 with it as the key. */
  readonly secret?: string | undefined;
  /** No encryption and no authentication: for wires where everybody may see and send everything. */
  readonly insecure?: boolean | undefined;
}

/** Turns a connection into a wire; `secure` is what {@link protectionOf} made of the options. */
export interface Protection {
  readonly encrypted: boolean;
  client(socket: Socket<number>, signal?: AbortSignal): Promise<Wire>;
  server(socket: Socket<number>, signal?: AbortSignal): Promise<Wire>;
}

/** @throws TypeError where neither or both were said; TransferError for a secret that is too short */
export function protectionOf({ secret, insecure = false }: ProtectionOptions): Protection {
  if (secret !== undefined && typeof secret !== 'string') {
    // Its value doesn't belong into an error.
    throw invalidType('secret', 'a string', typeof secret);
  }
  if (typeof insecure !== 'boolean') throw invalidType('insecure', 'true or false', insecure);
  if ((secret !== undefined) === insecure) {
    throw invalidValue(
      'secret',
      'a secret, or insecure: true',
      secret === undefined ? 'neither' : 'both',
    );
  }
  if (secret === undefined) {
    const plain = (socket: Socket<number>) => Promise.resolve(new SocketWire(prepared(socket)));
    return { encrypted: false, client: plain, server: plain };
  }
  const key = secretKey(secret);
  return {
    encrypted: true,
    client: (socket, signal) => secureClient(prepared(socket), key, signal),
    server: (socket, signal) => secureServer(prepared(socket), key, signal),
  };
}

/**
 * Without a time limit for each call, which the transfer has of its own. Small messages leave at once: an
 * answer that follows another small one would wait for the peer's delayed ACK, 40 ms, as the last
 * acknowledgement of a transfer always did.
 */
function prepared(socket: Socket<number>): Socket<number> {
  socket.settimeout(null);
  setNoDelay(socket);
  widenSendBuffer(socket);
  return socket;
}
