import type { Duplex } from 'node:stream';
import { Socket } from '../socket/index.ts';
import type { RecordedPath, Recorder } from './recorder.ts';
import { type TappedConnection, tapSocket } from './tap-socket.ts';
import { tapStream } from './tap-stream.ts';

/**
 * Records what passes through a socket, a server's connection or a Duplex: exact bytes, their times,
 * and of TCP the kernel's TCP_INFO at the start and at the end, in packets with made-up headers
 * (`Recorder`).
 *
 * The target stays as it is, in flow and in errors: its methods are watched, on this object alone. Bytes
 * that are received count when the program has them; bytes that are sent when the kernel took them, of
 * a Duplex when they are written to it. What `sendfile` sent is read from the file again. What never
 * comes by the program (`splice()`, `relay()`, `sendfile` from a pipe) has its numbers left out in the
 * recording, and a comment there says how many bytes it was.
 *
 * TLS: a `Connection` of a server, or a TLSSocket, gives what was decrypted.
 *
 * @param path between whom, where the target doesn't know, or what it can't know (`openedBy`); of a
 *   Duplex it is needed
 * @returns a function that ends the recording
 * @throws Error ERR_INVALID_STATE for a socket that has no IP addresses, where `path` has none
 *
 * @example
 * ```ts
 * const recorder = await Recorder.create('/dev/null');
 * const listener = createServer({ host: '127.0.0.1', port: 0 });
 * const client = await createConnection(listener.getsockname());
 * const [server] = await listener.accept();
 * tap(server, recorder);
 * await server.sendall(Buffer.from('hello'));
 * assert.equal((await client.recv(10)).toString(), 'hello');
 * for (const socket of [listener, client, server]) socket.close();
 * await recorder.close();
 * assert.equal(recorder.dropped, 0);
 * ```
 */
export function tap(
  target: Socket<number> | TappedConnection,
  recorder: Recorder,
  path?: Partial<RecordedPath>,
): () => void;
export function tap(target: Duplex, recorder: Recorder, path: RecordedPath): () => void;
export function tap(
  target: Socket<number> | TappedConnection | Duplex,
  recorder: Recorder,
  path: Partial<RecordedPath> = {},
): () => void {
  if (target instanceof Socket || 'recv' in target) return tapSocket(target, recorder, path);
  return tapStream(target, recorder, path as RecordedPath);
}
