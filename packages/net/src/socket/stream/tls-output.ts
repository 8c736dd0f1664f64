import { native, type TlsKey } from '@sockeye/native';
import { invalidState } from '../../errors/index.ts';
import { RecordSplitter } from './record-splitter.ts';
import type { TlsRecords } from './tls-records.ts';
import type { TrafficKey } from './traffic-key.ts';

// RFC 8446, sections 4 and 5.1.
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;
const FINISHED = 20;
const MESSAGE_HEAD_BYTES = 4;

const OTHER_CONTENT = 2;

/**
 * What node:tls writes during a handshake of TLS 1.3 and behind it. Up to its Finished it is followed
 * only. What comes then (session tickets, what somebody writes to the TLSSocket) was sealed with the
 * numbers that node:tls counts; so it is opened and becomes a record of ours, with our number.
 */
export class TlsOutput {
  readonly #splitter = new RecordSplitter();
  /** Opens what node:tls seals: with its key of the handshake, then with that of the data. */
  #key: TlsKey;
  #dataKey: (() => TrafficKey | undefined) | undefined;
  #isFinished = false;
  /** Whether node:tls numbers records in a way that can't be known any more. */
  #isUnknown = false;
  #records: TlsRecords | undefined;
  #message: Buffer = Buffer.alloc(0);
  readonly #outcome = new Int32Array(5);

  /**
   * @param handshakeKey of our side's handshake messages
   * @param dataKey of our side's application data, which exists at the Finished
   */
  constructor(handshakeKey: TrafficKey, dataKey: () => TrafficKey | undefined) {
    this.#key = handshakeKey.key;
    this.#dataKey = dataKey;
  }

  /** Whether what we seal ourselves may follow. */
  get isFinished(): boolean {
    return this.#isFinished;
  }

  /** Whether records can be numbered here: node:tls has not begun to. */
  get canHandOver(): boolean {
    return !this.#isUnknown;
  }

  /** From now on records are numbered here. */
  handOver(records: TlsRecords): void {
    this.#records = records;
  }

  /**
   * What is to be sent for it.
   *
   * @throws Error for what node:tls should not have written; nothing may be sent any more
   */
  pass(bytes: Buffer): Buffer[] {
    const passed: Buffer[] = [];
    this.#splitter.push(bytes);
    for (let record = this.#splitter.next(); record !== undefined; record = this.#splitter.next()) {
      const instead = record[0] === APPLICATION_DATA ? this.#passSealed(record) : record;
      if (instead.length > 0) passed.push(instead);
    }
    return passed;
  }

  #passSealed(record: Buffer): Buffer {
    const opened = this.#isUnknown ? undefined : this.#open(record);
    if (this.#records !== undefined) {
      if (opened === undefined) throw invalidState('node:tls wrote a record of an unknown key');
      return this.#isFinished ? this.#records.again(...opened) : this.#follow(record, opened);
    }
    if (opened === undefined || this.#isFinished) this.#isUnknown = true;
    return opened === undefined || this.#isFinished ? record : this.#follow(record, opened);
  }

  #open(record: Buffer): [type: number, content: Buffer] | undefined {
    const outcome = this.#outcome;
    const plain = Buffer.allocUnsafe(record.length);
    native.openTlsRecords(this.#key, record, 0, record.length, plain, 0, plain.length, outcome);
    const [done, bytes = 0, stop = 0, type = 0, length = 0] = outcome;
    if (done !== record.length || stop < 0) return undefined;
    if (stop === OTHER_CONTENT) return [type, plain.subarray(bytes, bytes + length)];
    return [APPLICATION_DATA, plain.subarray(0, bytes)];
  }

  #follow(record: Buffer, [type, content]: [type: number, content: Buffer]): Buffer {
    if (type !== HANDSHAKE) return record;
    let rest = Buffer.concat([this.#message, content]);
    while (rest.length >= MESSAGE_HEAD_BYTES && rest.length >= endOf(rest)) {
      if (rest[0] === FINISHED) this.#finish();
      rest = rest.subarray(endOf(rest));
    }
    this.#message = rest;
    return record;
  }

  #finish(): void {
    const key = this.#dataKey?.();
    if (key === undefined) throw invalidState('node:tls told no secret before its Finished');
    this.#isFinished = true;
    this.#dataKey = undefined;
    this.#key = key.key;
  }
}

function endOf(message: Buffer): number {
  return MESSAGE_HEAD_BYTES + message.readUIntBE(1, 3);
}
