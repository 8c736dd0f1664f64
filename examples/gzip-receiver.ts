// A sink of one's own: what `sockeye send` sends arrives compressed, as NAME.gz.
// Run: node examples/dist/gzip-receiver.js DIRECTORY SECRET-FILE [PORT]
// Send to it: sockeye send PATH… 127.0.0.1:PORT --secret-file SECRET-FILE
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import {
  receiveFiles,
  type SinkFile,
  TransferError,
  type TransferSink,
} from '@sockeye/net/transfer';

type Entry = Parameters<TransferSink['open']>[0];

// Sizes are the sender's word.
const MOST_BYTES = 2 ** 34;

const [directory, secretFile, port = '0'] = process.argv.slice(2);
if (directory === undefined || secretFile === undefined) {
  console.error('usage: gzip-receiver DIRECTORY SECRET-FILE [PORT]');
  process.exit(2);
}

const sink: TransferSink = {
  async makeDirectory({ path }) {
    await mkdir(join(directory, ...path), { recursive: true });
  },
  open: openFile,
};

/**
 * A file grows as it is, because a block that was damaged on its way comes later than those behind it.
 * It is compressed when all of it is there.
 */
async function openFile(entry: Entry): Promise<SinkFile> {
  if (entry.size > MOST_BYTES) throw new TransferError('quota', `more than ${MOST_BYTES} bytes`);
  const final = `${join(directory as string, ...entry.path)}.gz`;
  await mkdir(dirname(final), { recursive: true });
  const growing = join(dirname(final), `.growing-${randomUUID()}`);
  const file = await open(growing, 'wx+', 0o600);
  // Holes of a sparse file are not written: what no call brought is zeros.
  await file.truncate(entry.size);
  return {
    keptBlocks: 0,
    isComparison: false,
    readKept: () => Promise.resolve(0),
    async write(bytes, position) {
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await file.write(bytes, at, bytes.length - at, position + at);
        at += bytesWritten;
      }
    },
    async commit() {
      try {
        await file.close();
        await compress(growing, final);
      } finally {
        await rm(growing, { force: true });
      }
    },
    differs: () => Promise.reject(new Error('nothing is compared')),
    async abandon() {
      await file.close();
      await rm(growing, { force: true });
    },
  };
}

/** The sender hears that a file has arrived when this is done: so it has to be on the disk, and whole. */
async function compress(from: string, to: string): Promise<void> {
  const growing = `${from}.gz`;
  const target = await open(growing, 'wx', 0o600);
  try {
    await pipeline(createReadStream(from), createGzip(), target.createWriteStream({ flush: true }));
    // Unlike a rename this never replaces what has the name.
    await link(growing, to).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EEXIST') throw new TransferError('exists', 'a file has the name');
      throw cause;
    });
  } finally {
    await rm(growing, { force: true });
  }
  const parent = await open(dirname(to));
  try {
    await parent.sync();
  } finally {
    await parent.close();
  }
}

const secret = await readFile(secretFile, 'utf8');
const at = { host: '127.0.0.1', port: Number(port) };
const receiver = await receiveFiles(sink, at, {
  secret,
  onEvent(event) {
    if (event.type === 'file') console.log(`${event.path.join('/')}: ${event.size} bytes came`);
    else if (event.type === 'failed') console.log(`${event.path.join('/')}: ${event.text}`);
  },
});
process.once('SIGTERM', () => {
  void receiver.drain();
});
const { address } = receiver;
if (address !== null && 'port' in address) console.log(`listening on 127.0.0.1:${address.port}`);
await receiver.finished();
