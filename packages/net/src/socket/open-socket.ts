import { native } from '@sockeye/native';
import {
  AF_INET,
  SO_DOMAIN,
  SO_PROTOCOL,
  SO_TYPE,
  SOCK_STREAM,
  SOL_SOCKET,
} from '../constants/index.ts';
import { checkInteger, invalidType, outOfRange, SocketError } from '../errors/index.ts';
import { explain } from './explain.ts';

const MAX_INT = 0x7fffffff;
const word = new Int32Array(1);
const wordBytes = new Uint8Array(word.buffer);

/** What the caller said of a socket; undefined is left to the kernel or the defaults. */
export interface Kind {
  readonly family: number | undefined;
  readonly type: number | undefined;
  readonly proto: number | undefined;
  readonly fd: number | undefined;
}

/** A descriptor and what it is. */
export interface Opened {
  readonly fd: number;
  readonly family: number;
  readonly type: number;
  readonly proto: number;
}

/** Checks a constructor's arguments before any system call; -1 means the default, as in Python. */
export function checkKind(family: unknown, type: unknown, proto: unknown, options: unknown): Kind {
  if (typeof options !== 'object' || options === null) {
    throw invalidType('options', 'an object', options);
  }
  const { fd } = options as { fd?: unknown };
  const check = (name: string, value: unknown): number | undefined =>
    value === undefined || value === -1 ? undefined : checkInteger(name, value, 0, MAX_INT);
  return {
    family: check('family', family),
    type: check('type', type),
    proto: check('proto', proto),
    fd: fd === undefined ? undefined : checkDescriptor(fd),
  };
}

function checkDescriptor(fd: unknown): number {
  if (typeof fd === 'number' && fd < 0 && Number.isInteger(fd)) {
    throw outOfRange('fd', 'a descriptor: negative file descriptor', fd);
  }
  return checkInteger('fd', fd, 0, MAX_INT);
}

/** socket(2). */
export function openSocket(kind: Kind): Opened {
  const { family = AF_INET, type = SOCK_STREAM, proto = 0 } = kind;
  const fd = native.socket(family, type, proto);
  if (fd < 0) {
    throw new SocketError('socket', -fd, {
      explain: (code) => explain(code, { family, type, proto }),
    });
  }
  return { fd, family, type, proto };
}

/** Takes over a descriptor: what the caller left out is detected, what was given wins. */
export function adoptDescriptor(fd: number, kind: Kind): Opened {
  const detect = (option: number): number => {
    const status = native.getsockopt(fd, SOL_SOCKET, option, wordBytes);
    // EBADF for what is not open, ENOTSOCK for what is no socket.
    if (status < 0) throw new SocketError('getsockopt', -status);
    return word[0] as number;
  };
  const domain = detect(SO_DOMAIN);
  const opened = {
    fd,
    family: kind.family ?? domain,
    type: kind.type ?? detect(SO_TYPE),
    proto: kind.proto ?? detect(SO_PROTOCOL),
  };
  const status = native.setNonblocking(fd, true);
  if (status < 0) throw new SocketError('fcntl', -status);
  native.own(fd);
  return opened;
}
