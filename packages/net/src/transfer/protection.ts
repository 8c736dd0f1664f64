import { invalidValue } from '../errors/index.ts';
import type { Socket } from '../socket/index.ts';
import { sendAtOnce } from './send-at-once.ts';
import { secretKey } from './wire/pairing-secret.ts';
import { secureClient, secureServer } from './wire/secure.ts';
import { SocketWire } from './wire/socket-wire.ts';
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
  if ((secret !== undefined) === insecure) {
    throw invalidValue(
      'secret',
      'a secret, or insecure: true',
      secret === undefined ? 'neither' : 'both',
    );
  }
  if (secret === undefined) {
    const plain = (socket: Socket<number>) => {
      sendAtOnce(socket);
      return Promise.resolve(new SocketWire(socket));
    };
    return { encrypted: false, client: plain, server: plain };
  }
  const key = secretKey(secret);
  return {
    encrypted: true,
    client(socket, signal) {
      sendAtOnce(socket);
      return secureClient(socket, key, signal);
    },
    server(socket, signal) {
      sendAtOnce(socket);
      return secureServer(socket, key, signal);
    },
  };
}
