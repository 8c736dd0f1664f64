// One frame each way, on a Unix stream:
//
//   0          4          8
//   | jsonBytes| rawBytes | JSON … | raw bytes … |    both lengths little-endian
//
// Byte strings lie in the raw part; the JSON names them by offset and length.
import { Socket as NodeSocket } from 'node:net';

const HEADER = 8;

export class Channel {
  #stream;
  #onFrame;
  #chunks = [];
  #size = 0;

  constructor(fd, onFrame) {
    this.#stream = new NodeSocket({ fd });
    this.#onFrame = onFrame;
    this.#stream.on('data', (chunk) => this.#take(chunk));
    this.#stream.on('close', () => process.exit(0));
  }

  send(message, raw) {
    const json = Buffer.from(JSON.stringify(message));
    const header = Buffer.alloc(HEADER);
    const bytes = raw.reduce((sum, part) => sum + part.length, 0);
    header.writeUInt32LE(json.length, 0);
    header.writeUInt32LE(bytes, 4);
    this.#stream.write(Buffer.concat([header, json, ...raw]));
  }

  #take(chunk) {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    while (this.#size >= HEADER) {
      if (this.#chunks[0].length < HEADER) this.#join();
      const jsonBytes = this.#chunks[0].readUInt32LE(0);
      const whole = HEADER + jsonBytes + this.#chunks[0].readUInt32LE(4);
      if (this.#size < whole) return;
      this.#join();
      const [all] = this.#chunks;
      this.#chunks = [all.subarray(whole)];
      this.#size -= whole;
      const json = all.toString('utf8', HEADER, HEADER + jsonBytes);
      this.#onFrame(JSON.parse(json), all.subarray(HEADER + jsonBytes, whole));
    }
  }

  #join() {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
  }
}
