// The calls that Python can make. Each gets the context of the call first: the descriptors that came
// with it, the signal that ends it, and the lists of descriptors to send back and to close.
import * as net from '@sockeye/net';
import { closeSync } from 'node:fs';

const INT_BYTES = 4;
const sockets = new Map();
const files = new Map();
let lastHandle = 0;

/** Where the options lie among the parameters of each method that waits. */
const WAITS = {
  accept: 0,
  connect: 1,
  connectEx: 1,
  recv: 2,
  recvInto: 3,
  recvfrom: 2,
  recvfromInto: 3,
  recvmsg: 3,
  recvmsgInto: 3,
  send: 2,
  sendall: 2,
  sendto: 3,
  sendmsg: 4,
  sendmsgAfalg: 1,
  sendfile: 3,
  poll: 1,
};

const FILE_WAITS = new Set(['read', 'readline', 'write', 'flush']);

/** Keeps a socket for Python, which gets a handle, what the socket is, and its descriptor. */
function keep(context, socket) {
  const handle = ++lastHandle;
  sockets.set(handle, socket);
  context.sendBack.push(socket.fileno());
  const { family, type, proto } = socket;
  return { handle, family, type, proto };
}

function found(handle) {
  const socket = sockets.get(handle);
  if (socket === undefined) throw new Error(`Cannot find socket: handle ${handle}`);
  return socket;
}

/** With --sync the twin that blocks, where there is one. */
const isSync = process.argv.includes('--sync');

function twin(target, name) {
  return isSync ? target[`${name}Sync`] : undefined;
}

function waitFor(context, target, method, args) {
  const blocking = twin(target, method);
  if (blocking !== undefined) return blocking.apply(target, args);
  const at = WAITS[method];
  if (at === undefined) return target[method](...args);
  const all = Array.from({ length: at }, (_, i) => args[i]);
  return target[method](...all, { signal: context.signal });
}

const isRights = ({ level, type }) => level === net.SOL_SOCKET && type === net.SCM_RIGHTS;

/** Descriptors that arrived here become Python's: they go there, and these are closed. */
function handOver(context, ancillary) {
  for (const message of ancillary.filter(isRights)) {
    const count = Math.floor(message.data.length / INT_BYTES);
    for (let i = 0; i < count; i++) {
      const fd = message.data.readInt32LE(i * INT_BYTES);
      // What Python replaces by its own number for it.
      message.data.writeInt32LE(context.sendBack.length, i * INT_BYTES);
      context.sendBack.push(fd);
      context.closeAfter.push(fd);
    }
  }
  return ancillary;
}

/** In the data of SCM_RIGHTS Python puts indices of what it sent along, or a number it couldn't send. */
function takeRights(context, ancillary) {
  if (!Array.isArray(ancillary)) return ancillary;
  for (const message of ancillary.filter((item) => item?.rights === true)) {
    for (let i = 0; i + INT_BYTES <= message.data.length; i += INT_BYTES) {
      const index = message.data.readInt32LE(i);
      if (index >= 0) message.data.writeInt32LE(context.fds[index], i);
    }
  }
  return ancillary;
}

/** The number may have been closed elsewhere: a test does that. */
function closeQuietly(fd) {
  try {
    closeSync(fd);
  } catch (error) {
    if (error.code !== 'EBADF') throw error;
  }
}

async function closingFds(context, work) {
  try {
    return await work();
  } finally {
    for (const fd of context.fds) closeSync(fd);
  }
}

export const calls = {
  constants: () =>
    Object.fromEntries(
      Object.entries(net).filter(
        ([name, value]) =>
          /^[A-Z][A-Z0-9_a-z]*$/.test(name) && ['number', 'string'].includes(typeof value),
      ),
    ),
  hasIpv6: () => net.hasIpv6,
  has: (_context, name) => typeof net.Socket.prototype[name] === 'function',

  socket: (context, family, type, proto, options) =>
    keep(context, new net.Socket(family, type, proto, options)),
  adopt(context, family, type, proto, fd, sharer) {
    try {
      const number = sharer === undefined ? fd : found(sharer).fileno();
      const made = keep(context, new net.Socket(family, type, proto, { fd: number }));
      context.sendBack.length = 0; // Python has the descriptor: it gave it.
      return made;
    } catch (error) {
      for (const copy of context.fds) closeSync(copy);
      throw error;
    }
  },
  socketpair: (context, ...args) => net.socketpair(...args).map((socket) => keep(context, socket)),
  fromFd: (context, fd, ...kind) =>
    closingFds(context, () => keep(context, net.fromFd(fd, ...kind))),
  createServer: (context, ...args) => keep(context, net.createServer(...args)),
  async createConnection(context, address, options) {
    const { signal } = context;
    const connect = twin(net, 'createConnection') ?? net.createConnection;
    return keep(context, await connect(address, isSync ? options : { ...options, signal }));
  },
  closeFd: (_context, handle) => net.close(found(handle).fileno()),
  closeNumber: (_context, fd) => net.close(fd),

  drop(context, handle) {
    calls.closeHere(context, handle);
    sockets.delete(handle);
  },
  closeHere(_context, handle) {
    try {
      sockets.get(handle)?.close();
    } catch {
      // The number was closed elsewhere; nobody is left to be told.
    }
  },
  detach(_context, handle) {
    const fd = found(handle).detach();
    const isShared = [...sockets.values()].some((socket) => socket.fileno() === fd);
    // Python goes on with its own duplicate.
    if (fd >= 0 && !isShared) closeQuietly(fd);
    return fd;
  },
  accept: async (context, handle) => {
    const [socket, address] = await waitFor(context, found(handle), 'accept', []);
    return [keep(context, socket), address];
  },
  dup: (context, handle) => keep(context, found(handle).dup()),
  async into(context, handle, method, buffer, ...args) {
    const result = await waitFor(context, found(handle), method, [buffer, ...args]);
    const [bytes, address] = Array.isArray(result) ? result : [result, undefined];
    return [bytes, buffer.subarray(0, bytes), address];
  },
  async recvmsg(context, handle, ...args) {
    const { ancillary, ...rest } = await waitFor(context, found(handle), 'recvmsg', args);
    return { ...rest, ancillary: handOver(context, ancillary) };
  },
  async recvmsgInto(context, handle, buffers, ...args) {
    const all = [buffers, ...args];
    const { ancillary, ...rest } = await waitFor(context, found(handle), 'recvmsgInto', all);
    return { ...rest, buffers, ancillary: handOver(context, ancillary) };
  },
  sendmsg: (context, handle, _fds, buffers, ancillary, ...args) =>
    closingFds(context, () =>
      waitFor(context, found(handle), 'sendmsg', [
        buffers,
        takeRights(context, ancillary),
        ...args,
      ]),
    ),
  sendfile: (context, handle, ...args) =>
    closingFds(context, () => waitFor(context, found(handle), 'sendfile', args)),
  async recvFds(context, handle, size, maxFds, flags) {
    const { data, fds, ...rest } = await (twin(net, 'recvFds') ?? net.recvFds)(
      found(handle),
      size,
      maxFds,
      flags,
    );
    context.sendBack.push(...fds);
    context.closeAfter.push(...fds);
    return { data, count: fds.length, ...rest };
  },
  sendFds: (context, handle, buffers, fds, ...args) =>
    closingFds(context, () =>
      (twin(net, 'sendFds') ?? net.sendFds)(found(handle), buffers, fds, ...args),
    ),
  method: (context, handle, method, ...args) => waitFor(context, found(handle), method, args),
  module: (_context, name, ...args) => (twin(net, name) ?? net[name])(...args),

  makefile(_context, handle, mode, options) {
    const file = ++lastHandle;
    files.set(file, found(handle).makefile(mode, options));
    return file;
  },
  file(context, handle, method, ...args) {
    const file = files.get(handle);
    const blocking = twin(file, method);
    if (blocking !== undefined) return blocking.apply(file, args);
    return FILE_WAITS.has(method)
      ? file[method](...args, { signal: context.signal })
      : file[method](...args);
  },
  fileProperty: (_context, handle, name) => files.get(handle)[name],
  async fileReadInto({ signal }, handle, buffer) {
    const file = files.get(handle);
    const blocking = twin(file, 'readInto');
    const count = blocking ? blocking.call(file, buffer) : await file.readInto(buffer, { signal });
    return [count, buffer.subarray(0, count ?? 0)];
  },
  async dropFile(_context, handle) {
    const file = files.get(handle);
    files.delete(handle);
    await file?.close();
  },
};
