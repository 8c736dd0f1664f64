import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Socket } from '@sockeye/net';
import {
  type AddressInput,
  AF_UNIX,
  AF_VSOCK,
  type OptionName,
  SocketError,
  VMADDR_CID_ANY,
} from '@sockeye/net';
import { CommandError, usageError } from '../command-error.ts';
import { reasonOf } from '../explain-error.ts';
import { isIPv6 } from 'node:net';

/** A socket option as it was typed. */
export interface OptionSetting {
  readonly name: string;
  readonly value: string;
  /** False where only the name was typed, which switches an option on. */
  readonly hasValue?: boolean;
}

/** The options of a socket before it connects or listens, as they were typed. */
export interface SocketFlags {
  readonly source?: string;
  readonly option?: readonly OptionSetting[];
}

/** Adds --option. */
export function addOptionFlag(command: Command): Command {
  return command.addOption(
    new Option('--option <name=value>', 'set a socket option, such as SO_RCVBUF=65536').argParser(
      (text, before: readonly OptionSetting[] | undefined) => [
        ...(before ?? []),
        parseSetting(text),
      ],
    ),
  );
}

function parseSetting(text: string): OptionSetting {
  const [, name, value] = /^([A-Za-z0-9_]+)(?:=(.*))?$/s.exec(text) ?? [];
  if (name === undefined) {
    throw new InvalidArgumentError('Expected NAME=VALUE, such as TCP_NODELAY=true.');
  }
  return { name: name.toUpperCase(), value: value ?? 'true', hasValue: value !== undefined };
}

/**
 * Sets options by name on a socket that is fresh.
 *
 * @throws CommandError: 2 for a name or a value that the option doesn't take, 1 when the system refuses
 */
export function applyOptions(
  socket: Socket<number>,
  settings: readonly OptionSetting[] = [],
): void {
  for (const { name, value, hasValue = true } of settings) {
    const listed = socket.options.list().find((option) => option.name === name);
    if (listed === undefined)
      throw usageError(
        `cannot set ${name}: this socket has no such option; sockeye options ADDRESS lists what it has`,
      );
    try {
      socket.options.set(listed.name as never, valueOf(listed.kind, value));
    } catch (error) {
      if (error instanceof SocketError) {
        throw new CommandError(`cannot set ${name}: ${reasonOf(error)}`, 1, { cause: error });
      }
      if (!hasValue)
        throw usageError(`cannot set ${name}: its value is missing; ${exampleOf(listed)}`);
      const reason = error instanceof Error ? error.message : String(error);
      throw usageError(`cannot set ${name}=${value}: ${reason}`);
    }
  }
}

function exampleOf({ name, kind }: { name: string; kind: string }): string {
  const value = kind === 'integer' ? (name.endsWith('BUF') ? '65536' : '1') : 'VALUE';
  return `write --option ${name}=${value}`;
}

/** What was typed, as the option's codec takes it. */
export function valueOf(kind: string, text: string): unknown {
  if (kind === 'string') return text;
  if (kind === 'bytes') return Buffer.from(text, 'hex');
  if (kind === 'boolean') {
    if (/^(true|on|yes|1)$/i.test(text)) return true;
    return /^(false|off|no|0)$/i.test(text) ? false : text;
  }
  if (kind === 'bigint' && /^\d+$/.test(text)) return BigInt(text);
  if (/^-?(0x[\da-f]+|\d+(\.\d+)?)$/i.test(text)) return Number(text);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** Whether an option of that name can be set. */
export type SettableOption = OptionName;

/** Adds --source. */
export function addSourceFlag(command: Command): Command {
  return command.option(
    '--source <address>',
    'connect from this address: host, host:port or :port',
  );
}

/**
 * The address that `--source` names, for a socket of a family.
 *
 * @throws CommandError
 */
export function sourceAddress(family: number, text: string): AddressInput {
  if (family === AF_UNIX) return { path: text.replace(/^unix[a-z-]*:\/\//, '') };
  if (family === AF_VSOCK) return vsockSource(text);
  const bare = text.replace(/^(tcp|udp|tls):\/\//, '');
  const [, bracketed, host, port] =
    /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(bare) ?? (isIPv6(bare) ? ['', bare] : []);
  const isWrong = (bracketed ?? host) === undefined || Number(port ?? 0) > 65_535;
  if (isWrong)
    throw usageError(`cannot read --source "${text}"; expected host, host:port or :port`);
  return { host: bracketed ?? host ?? '', port: Number(port ?? 0) };
}

function vsockSource(text: string): AddressInput {
  const [, cid, port] = /^(?:vsock:\/\/)?(\d*):(\d{1,10})$/.exec(text) ?? [];
  if (port === undefined || Number(port) > 0xffff_ffff || Number(cid) > 0xffff_ffff)
    throw usageError(`cannot read --source "${text}"; expected cid:port or :port, two numbers`);
  return { cid: cid === '' ? VMADDR_CID_ANY : Number(cid), port: Number(port) };
}
