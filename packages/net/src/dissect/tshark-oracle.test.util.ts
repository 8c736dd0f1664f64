// Runs tshark over packets and compares its fields with ours, value by value and byte by byte.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDissector, type Dissection } from './dissect.ts';
import type { Field, FieldValue } from './field.ts';
import { PacketItem } from './files/capture-item.ts';
import { PcapngWriter } from './files/pcapng-writer.ts';
import type { Sample } from './samples.test.util.ts';
import { isExplained } from './tshark-differences.test.util.ts';

export interface OracleField {
  readonly name: string;
  readonly show: string;
  readonly value: string;
  readonly pos: number;
  readonly size: number;
  readonly hidden: boolean;
}

export interface OraclePacket {
  readonly protocols: readonly string[];
  readonly fields: readonly OracleField[];
}

export interface Difference {
  readonly packet: string;
  readonly field: string;
  /** `value`, `place`, `ours only`, `theirs only`. */
  readonly kind: string;
  readonly ours: string;
  readonly theirs: string;
}

// Names and forms of fields change between Wireshark's minor versions; the list of differences is
// for this one, Debian 12's.
const oracleVersion = '4.0';

/** Why tshark can't be asked, or undefined. */
export function tsharkMissing(): string | undefined {
  return tsharkVersion() === undefined ? 'tshark is not installed' : undefined;
}

/** Why tshark's fields can't be compared with, or undefined. */
export function tsharkOracleMissing(): string | undefined {
  const version = tsharkVersion();
  if (version === undefined) return 'tshark is not installed';
  if (version.startsWith(`${oracleVersion}.`)) return undefined;
  return `tshark is ${version}, the differences are known for ${oracleVersion}`;
}

function tsharkVersion(): string | undefined {
  const { stdout, status } = spawnSync('tshark', ['--version'], { encoding: 'utf8' });
  return status === 0 ? /TShark \(Wireshark\) ([\d.]+\d)/.exec(stdout)?.[1] : undefined;
}

// One packet at a time, as our dissector works: no reassembly, absolute numbers, checksums verified.
const preferences = [
  'ip.check_checksum:TRUE',
  'tcp.check_checksum:TRUE',
  'udp.check_checksum:TRUE',
  'sctp.checksum:CRC 32c',
  'ip.defragment:FALSE',
  'ipv6.defragment:FALSE',
  'tcp.desegment_tcp_streams:FALSE',
  'tcp.relative_sequence_numbers:FALSE',
  'sctp.relative_tsns:FALSE',
].flatMap((preference) => ['-o', preference]);

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' };

function unescapeXml(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (_, hexadecimal, decimal, name) =>
    name === undefined
      ? String.fromCodePoint(
          Number.parseInt(hexadecimal ?? decimal, hexadecimal === undefined ? 10 : 16),
        )
      : (entities[name] ?? ''),
  );
}

function attributes(tag: string): Record<string, string> {
  return Object.fromEntries(
    [...tag.matchAll(/([\w.]+)="([^"]*)"/g)].map(([, name, value]) => [
      name,
      unescapeXml(value ?? ''),
    ]),
  );
}

function parsePacket(text: string): OraclePacket {
  const protocols: string[] = [];
  const fields: OracleField[] = [];
  for (const [tag, kind] of text.matchAll(/<(proto|field) [^>]*>/g)) {
    const at = attributes(tag);
    const name = at['name'] ?? '';
    // PDML's own way to write the layer that `-T json` calls data.
    if (name === 'data') protocols.push('data');
    if (kind === 'proto') protocols.push(name);
    else if (name !== 'data') {
      fields.push({
        name,
        show: at['show'] ?? '',
        value: at['unmaskedvalue'] ?? at['value'] ?? '',
        pos: Number(at['pos']),
        size: Number(at['size']),
        hidden: at['hide'] === 'yes',
      });
    }
  }
  return { protocols, fields };
}

/** What tshark says about a capture file. */
export function tsharkPackets(file: string, more: readonly string[] = []): OraclePacket[] {
  const { stdout, status, stderr } = spawnSync(
    'tshark',
    ['-n', '-r', file, '-T', 'pdml', ...preferences, ...more],
    {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    },
  );
  if (status !== 0) throw new Error(`tshark failed: ${stderr}`);
  return stdout.split('<packet>').slice(1).map(parsePacket);
}

/** All samples in one pcapng file with an interface for each link type, a second apart or at `times`. */
export function samplesFile(samples: readonly Sample[], times?: readonly bigint[]): Uint8Array {
  const writer = new PcapngWriter();
  const parts = [writer.encode({ type: 'section', format: 'pcapng', littleEndian: true })];
  const linkTypes = [...new Set(samples.map((sample) => sample.linkType))];
  for (const [id, linkType] of linkTypes.entries()) {
    parts.push(writer.encode({ type: 'interface', id, linkType, snapLength: 0 }));
  }
  for (const [index, { bytes, linkType }] of samples.entries()) {
    const interfaceId = linkTypes.indexOf(linkType);
    const time = times?.[index] ?? BigInt(1_700_000_000 + index) * 1_000_000_000n + 1n;
    const seconds = Number(time / 1_000_000_000n);
    const nanoseconds = Number(time % 1_000_000_000n);
    const packet = { buffer: bytes, seconds, nanoseconds, interfaceId, linkType };
    parts.push(writer.encode(new PacketItem(packet)));
  }
  return Buffer.concat(parts);
}

/** Writes bytes to a file that exists while `use` runs. */
export function withFile<Result>(bytes: Uint8Array, use: (file: string) => Result): Result {
  const directory = mkdtempSync(join(tmpdir(), 'dissect-'));
  try {
    const file = join(directory, 'packets.pcapng');
    writeFileSync(file, bytes);
    return use(file);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const statusWords = ['bad', 'good', 'unverified', 'not present'];

function sameValue(field: Field, theirs: OracleField): boolean {
  const { value, name } = field;
  if (name.endsWith('.status')) return statusWords[Number(theirs.show)] === value;
  if (value instanceof Uint8Array) return hexOf(value) === theirs.value;
  if (typeof value === 'boolean') return (theirs.show === '1' || theirs.show === 'True') === value;
  if (typeof value === 'string') return theirs.show === value;
  return BigInt(theirs.show === '' ? -1 : theirs.show) === BigInt(value);
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

function samePlace(field: Field, theirs: OracleField): boolean {
  if (field.start === field.end) return true;
  const first = Math.floor(field.start / 8);
  const last = Math.ceil(field.end / 8);
  return first >= theirs.pos && last <= theirs.pos + Math.max(1, theirs.size);
}

function show(value: FieldValue): string {
  return value instanceof Uint8Array ? hexOf(value) : String(value);
}

function grouped<T extends { readonly name: string }>(fields: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const field of fields) groups.set(field.name, [...(groups.get(field.name) ?? []), field]);
  return groups;
}

/** Differences of one packet, the explained ones left out. */
export function compare(
  packet: string,
  dissection: Dissection,
  oracle: OraclePacket,
): Difference[] {
  const found: Difference[] = [];
  const report = (field: string, kind: string, ours: string, theirs: string): void => {
    if (!isExplained({ packet, field, kind, ours, theirs }))
      found.push({ packet, field, kind, ours, theirs });
  };
  const protocols = dissection.layers.map((layer) => layer.protocol);
  const oursByName = grouped(dissection.layers.flatMap((layer) => layer.fields));
  const theirsByName = grouped(oracle.fields);
  for (const [name, ours] of oursByName) {
    const theirs = theirsByName.get(name) ?? [];
    for (let index = 0; index < Math.max(ours.length, theirs.length); index++) {
      const our = ours[index];
      const their = theirs[index];
      if (our === undefined) report(name, 'theirs only', '', their?.show ?? '');
      else if (their === undefined) report(name, 'ours only', show(our.value), '');
      else if (!sameValue(our, their))
        report(name, 'value', show(our.value), `${their.show} ${their.value}`);
      else if (!samePlace(our, their))
        report(name, 'place', our.bits.join('-'), `${their.pos * 8}+${their.size * 8}`);
    }
  }
  for (const [name, theirs] of theirsByName) {
    if (oursByName.has(name) || name === '') continue;
    for (const field of theirs) if (!field.hidden) report(name, 'theirs only', '', field.show);
  }
  for (const protocol of protocols) {
    if (!oracle.protocols.includes(protocol))
      report(protocol, 'layer', protocol, oracle.protocols.join(' '));
  }
  return found;
}

/** All unexplained differences between our dissection of the samples and tshark's. */
export function compareSamples(
  samples: readonly Sample[],
  decodeAs?: Readonly<Record<string, Readonly<Record<number, string>>>>,
): Difference[] {
  const dissect = createDissector(decodeAs === undefined ? {} : { decodeAs });
  const oracle = withFile(samplesFile(samples), tsharkPackets);
  return samples.flatMap(({ name, bytes, linkType }, index) => {
    const theirs = oracle[index];
    if (theirs === undefined) throw new Error(`tshark gave no packet ${index}`);
    return compare(name, dissect(bytes, { linkType }), theirs);
  });
}

/** Bits of each field as tshark has them: name → `start-end` of each, sorted. */
export type OracleBits = ReadonlyMap<string, readonly string[]>;

/** Where in the packets tshark found each field, to the bit: `-T json -x` gives offset, length and mask. */
export function tsharkBits(file: string): OracleBits[] {
  const args = ['-n', '-r', file, '-T', 'json', '-x', '--no-duplicate-keys', ...preferences];
  const { stdout } = spawnSync('tshark', args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  const packets: unknown = JSON.parse(stdout);
  if (!Array.isArray(packets)) throw new TypeError('tshark gave no list of packets');
  return packets.map((packet: unknown) => {
    const found = new Map<string, string[]>();
    collectBits(packet, found);
    for (const ranges of found.values()) ranges.sort();
    return found;
  });
}

function collectBits(value: unknown, found: Map<string, string[]>): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    if (!key.endsWith('_raw') || !Array.isArray(member)) collectBits(member, found);
    else {
      const name = key.slice(0, -'_raw'.length);
      const list: unknown[] = Array.isArray(member[0]) ? member : [member];
      found.set(name, [...(found.get(name) ?? []), ...list.map(bitRange)]);
    }
  }
}

/** `[hex, offset, length, mask, type]`; a mask wider than the length belongs to the word that begins there. */
function bitRange(raw: unknown): string {
  if (!Array.isArray(raw)) return '';
  const [offset = 0, length = 0, mask = 0] = raw.slice(1, 4).map(Number);
  if (mask === 0) return `${offset * 8}-${(offset + length) * 8}`;
  const bits = mask.toString(2);
  const below = bits.length - bits.lastIndexOf('1') - 1;
  const width = Math.max(length * 8, Math.ceil(bits.length / 8) * 8);
  return `${offset * 8 + width - bits.length}-${offset * 8 + width - below}`;
}
