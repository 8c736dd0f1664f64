import { createHmac } from 'node:crypto';
import { native, type TlsKey } from '@sockeye/native';

const IV_BYTES = 12;

/** The key of one direction, and how the one behind it is made (RFC 8446, sections 7.1 to 7.3). */
export class TrafficKey {
  readonly key: TlsKey;
  #cipher: string;
  #secret: Buffer;
  #seals: boolean;

  private constructor(key: TlsKey, cipher: string, secret: Buffer, seals: boolean) {
    this.key = key;
    this.#cipher = cipher;
    // Its own: it is wiped when another takes its place.
    this.#secret = Buffer.from(secret);
    this.#seals = seals;
  }

  /**
   * @param cipher a cipher suite of TLS 1.3 by its standard name
   * @param seals whether for records that leave, rather than for those that come
   * @returns undefined where the native core has no such cipher
   */
  static of(cipher: string, secret: Buffer, seals: boolean): TrafficKey | undefined {
    const key = expand(cipher, secret, 'key', cipher.includes('AES_128') ? 16 : 32);
    const iv = expand(cipher, secret, 'iv', IV_BYTES);
    const made = native.createTlsKey(cipher, key, iv, seals);
    key.fill(0);
    return made === undefined ? undefined : new TrafficKey(made, cipher, secret, seals);
  }

  /** What follows a KeyUpdate. */
  next(): TrafficKey {
    const secret = expand(this.#cipher, this.#secret, 'traffic upd', this.#secret.length);
    this.#secret.fill(0);
    return TrafficKey.of(this.#cipher, secret, this.#seals) as TrafficKey;
  }
}

/** HKDF-Expand-Label without a context, of no more than the hash gives at once. */
function expand(cipher: string, secret: Buffer, label: string, bytes: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.from([0, bytes, name.length]), name, Buffer.from([0, 1])]);
  const hash = cipher.endsWith('SHA384') ? 'sha384' : 'sha256';
  return createHmac(hash, secret).update(info).digest().subarray(0, bytes);
}
