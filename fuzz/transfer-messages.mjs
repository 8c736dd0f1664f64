// Feeds mutated messages to the transfer protocol's decoder, half of them with a right checksum;
// anything but a ProtocolError ends the run:
// node fuzz/transfer-messages.mjs [EXECUTIONS = 10000000] [SEED]
import { mutateMessages } from '../packages/net/dist/transfer/protocol/message-samples.test.util.js';

// Most end in an error, of which the stack trace would cost more than the decoding.
Error.stackTraceLimit = 0;
const executions = Number(process.argv[2] ?? 10_000_000);
const seed = Number(process.argv[3] ?? (Date.now() % 2 ** 31) + 1);
const started = performance.now();
const counts = mutateMessages({ executions, seed });
const seconds = (performance.now() - started) / 1000;
process.stdout.write(`${JSON.stringify({ seed, executions, ...counts, seconds })}\n`);
