// One measurement: a fresh server process, the generator against it, one record.
import { statSync } from 'node:fs';
import { holdLoad, runLoad } from './load-process.mjs';
import { pinned } from './pinned.mjs';
import { ServerProcess } from './server-process.mjs';

const WARM_CONNECTIONS = 200;
const MIB = 1 << 20;

function fill(argument, files) {
  return argument.replace('{source}', files.source).replace('{target}', files.target);
}

function units(workload, result) {
  return workload.per === 'MiB' ? result.bytes / MIB : result.messages;
}

// More digits than a measurement has would only make the result file longer.
function significant(figures) {
  const entries = Object.entries(figures).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name, Number(value.toPrecision(6))]));
}

function record(workload, result, peakBytes) {
  const count = units(workload, result);
  if (!(count > 0)) throw new Error('nothing was transferred in the window');
  return significant({
    cpuUs: (result.serverCpuSeconds / count) * 1e6,
    clientCpuUs: (result.clientCpuSeconds / count) * 1e6,
    rate: count / result.seconds,
    busy: result.serverCpuSeconds / result.seconds,
    lost: result.lost,
    starved: result.starved,
    p50Us: result.p50Us,
    p99Us: result.p99Us,
    maxUs: result.maxUs,
    peakBytes,
  });
}

function loadCommand({ load, seconds, warmup, pin }, workload, server, extra) {
  const target = ['--port', server.port, ...server.pids.flatMap((pid) => ['--pid', pid])];
  const times = ['--seconds', seconds, '--warmup', warmup];
  return pinned([load, ...workload.load, ...target, ...times, ...extra], 'load', pin).map(String);
}

function hold(setup, workload, server, connections) {
  const command = loadCommand(setup, workload, server, ['--connections', connections]);
  return holdLoad(command, setup.windowMs);
}

/** Memory after a collection; twice, since the first may only queue finalizers. */
async function settledBytes(server) {
  await server.collect();
  await server.collect();
  return server.residentBytes();
}

async function measureIdle(setup, workload, server) {
  const warm = await hold(setup, workload, server, WARM_CONNECTIONS);
  await warm.release();
  const before = await settledBytes(server);
  const held = await hold(setup, workload, server, setup.idleConnections);
  const after = await settledBytes(server);
  await held.release();
  return significant({ bytesPerConnection: (after - before) / setup.idleConnections });
}

/** Whether the last file that the server received is there, whole. */
function checkReceived(workload, result, target) {
  if (workload.role !== 'file-receive') return;
  const { size } = statSync(target);
  if (size === result.lastBytes) return;
  throw new Error(`the received file has ${size} bytes of ${result.lastBytes}`);
}

async function measureWork(setup, workload, server) {
  const result = await runLoad(loadCommand(setup, workload, server, []), setup.windowMs);
  checkReceived(workload, result, setup.files.target);
  return record(workload, result, server.peakBytes());
}

function explain(error, { complaint }) {
  return complaint === '' ? error : new Error(`${error.message} (the server: ${complaint})`);
}

/** Measures one workload once on one peer's command. */
export async function measure(setup, workload, command) {
  const roleArguments = (workload.roleArguments ?? []).map((text) => fill(text, setup.files));
  // Several processes or threads have something to share out only on several CPUs.
  const how = { ...setup, pin: setup.pin && !workload.spread };
  const server = await ServerProcess.start(
    pinned([...command, ...roleArguments], 'server', how.pin),
  );
  try {
    return await (workload.hold ? measureIdle : measureWork)(how, workload, server);
  } catch (error) {
    throw explain(error, server);
  } finally {
    await server.end();
  }
}
