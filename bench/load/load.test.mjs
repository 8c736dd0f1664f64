// The generator against servers that do what they should not.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { compileLoad } from '../lib/compile.mjs';

const load = compileLoad();
const SHORT = ['--warmup', '0.2', '--seconds', '0.2'];

async function runLoad(workload, port, ...options) {
  const child = spawn(load, [workload, '--port', `${port}`, '--pid', `${process.pid}`, ...options]);
  const [out, errors, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { status, errors, result: out === '' ? undefined : JSON.parse(out) };
}

async function listen(t, handle) {
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    handle(socket);
  });
  t.after(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
}

async function bind(t, handle) {
  const socket = dgram.createSocket('udp4');
  t.after(() => socket.close());
  socket.on('message', (data, remote) => handle(socket, data, remote));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket.address().port;
}

test('tcp-echo counts messages, bytes, CPU time and latency of a correct server', async (t) => {
  const port = await listen(t, (socket) => socket.pipe(socket));
  const { status, result } = await runLoad('tcp-echo', port, '--size', '100', ...SHORT);
  assert.equal(status, 0);
  assert.ok(result.messages > 0);
  assert.equal(result.bytes, result.messages * 100);
  assert.ok(result.serverCpuSeconds > 0 && result.serverCpuSeconds < result.seconds * 8);
  assert.ok(
    result.p50Us > 0 && result.p50Us <= result.p99Us && result.p99Us <= result.maxUs * 1.02,
  );
  assert.equal(result.starved, 0);
});

test('tcp-echo refuses an echo with one wrong byte', async (t) => {
  const port = await listen(t, (socket) => {
    socket.on('data', (chunk) => {
      chunk[chunk.length - 1] ^= 1;
      socket.write(chunk);
    });
  });
  const { status, errors } = await runLoad('tcp-echo', port, ...SHORT);
  assert.equal(status, 1);
  assert.match(errors, /what came back is not what was sent/);
});

test('tcp-echo refuses more bytes than it sent', async (t) => {
  const port = await listen(t, (socket) => {
    socket.on('data', (chunk) => socket.write(Buffer.concat([chunk, chunk])));
  });
  const { status, errors } = await runLoad('tcp-echo', port, ...SHORT);
  assert.equal(status, 1);
  assert.match(errors, /more came back than was sent/);
});

test('tcp-echo notices a server that closes', async (t) => {
  const port = await listen(t, (socket) => socket.once('data', () => socket.end()));
  const { status, errors } = await runLoad('tcp-echo', port, ...SHORT);
  assert.equal(status, 1);
  assert.match(errors, /closed a connection|reset/);
});

test('tcp-echo counts the connections that got no answer', async (t) => {
  let accepted = 0;
  const port = await listen(t, (socket) => {
    accepted += 1;
    if (accepted > 1) socket.pipe(socket);
    else socket.resume();
  });
  const { result } = await runLoad('tcp-echo', port, '--connections', '4', ...SHORT);
  assert.equal(result.starved, 1);
});

test('tcp-cycle refuses a connection that ends before its echo', async (t) => {
  const port = await listen(t, (socket) => socket.end('short'));
  const { status, errors } = await runLoad('tcp-cycle', port, ...SHORT);
  assert.equal(status, 1);
  assert.match(errors, /closed before its echo|reset/);
});

test('udp-echo refuses an answer that went to the wrong peer', async (t) => {
  let previous;
  const port = await bind(t, (socket, data, remote) => {
    socket.send(data, (previous ?? remote).port, remote.address);
    previous = remote;
  });
  const { status, errors } = await runLoad('udp-echo', port, '--connections', '8', ...SHORT);
  assert.equal(status, 1);
  assert.match(errors, /an answer went to the wrong peer/);
});

test('udp-echo counts what got no answer as lost', async (t) => {
  let received = 0;
  const port = await bind(t, (socket, data, remote) => {
    received += 1;
    if (received % 100 !== 0) socket.send(data, remote.port, remote.address);
  });
  const times = ['--warmup', '0.1', '--seconds', '1'];
  const { result } = await runLoad('udp-echo', port, '--connections', '2', ...times);
  assert.ok(result.lost > 0);
  assert.ok(result.messages > 0);
});

test('udp-push counts what the server says it received, the rest as lost', async (t) => {
  let count = 0;
  const port = await bind(t, (socket, data, remote) => {
    if (data.length !== 4) {
      count += 1;
      return;
    }
    const answer = Buffer.alloc(8);
    answer.writeBigUInt64BE(BigInt(count >> 1));
    socket.send(answer, remote.port, remote.address);
  });
  const { result } = await runLoad('udp-push', port, ...SHORT);
  assert.ok(result.messages > 0 && result.messages <= count / 2);
  assert.ok(result.lost >= result.messages - 1);
});
