import type { TLSSocket } from 'node:tls';
import { RecordSplitter } from './record-splitter.ts';
import { TlsOutput } from './tls-output.ts';
import type { RecordKeys, TlsSide } from './tls-records.ts';
import { TrafficKey } from './traffic-key.ts';

/** What is known of a handshake that node:tls makes, and what has come beyond it. */
export class Handshake {
  readonly #incoming = new RecordSplitter();
  readonly #secrets = new Map<string, Buffer>();
  #tls: TLSSocket | undefined;
  #side: TlsSide = 'client';
  #isPassedOn = false;

  /**
   * A line of 'keylog': a label, the client's random bytes and the secret.
   * Source: draft-ietf-tls-keylogfile.
   */
  learn(line: Buffer, tls: TLSSocket, side: TlsSide): void {
    const [label = '', , secret = ''] = line.toString('latin1').trim().split(' ');
    this.#secrets.set(label, Buffer.from(secret, 'hex'));
    this.#tls = tls;
    this.#side = side;
  }

  push(bytes: Buffer): void {
    this.#incoming.push(bytes);
  }

  /** The next record for node:tls; all there is once nobody takes over. */
  next(): Buffer | undefined {
    if (!this.#isPassedOn) return this.#incoming.next();
    const rest = this.rest();
    return rest.length === 0 ? undefined : rest;
  }

  /** node:tls gets all that comes. */
  passOn(): void {
    this.#isPassedOn = true;
  }

  get isPassedOn(): boolean {
    return this.#isPassedOn;
  }

  /** What node:tls has not had. */
  rest(): Buffer {
    return this.#incoming.rest();
  }

  /** Whether node:tls has had all of it, and the next record is for who has the keys. */
  get isOver(): boolean {
    return (
      !this.#isPassedOn &&
      this.#secrets.has('CLIENT_TRAFFIC_SECRET_0') &&
      this.#secrets.has('SERVER_TRAFFIC_SECRET_0') &&
      this.#tls?.getPeerFinished() !== undefined
    );
  }

  /** The keys of what follows; undefined where they are not known, or their cipher is not. */
  keys(): RecordKeys | undefined {
    if (!this.isOver) return undefined;
    const [ours, theirs] = this.#side === 'client' ? ['CLIENT', 'SERVER'] : ['SERVER', 'CLIENT'];
    const write = this.#key(`${ours}_TRAFFIC_SECRET_0`, true);
    const read = this.#key(`${theirs}_TRAFFIC_SECRET_0`, false);
    const side = this.#side;
    return write === undefined || read === undefined ? undefined : { side, write, read };
  }

  /** Follows what node:tls writes, once there is something that it has encrypted. */
  output(): TlsOutput | undefined {
    const ours = this.#side === 'client' ? 'CLIENT' : 'SERVER';
    const key = this.#key(`${ours}_HANDSHAKE_TRAFFIC_SECRET`, false);
    if (key === undefined) return undefined;
    return new TlsOutput(key, () => this.#key(`${ours}_TRAFFIC_SECRET_0`, false));
  }

  #key(label: string, seals: boolean): TrafficKey | undefined {
    const secret = this.#secrets.get(label);
    const cipher = this.#tls?.getCipher().standardName;
    return secret === undefined || cipher === undefined
      ? undefined
      : TrafficKey.of(cipher, secret, seals);
  }
}
