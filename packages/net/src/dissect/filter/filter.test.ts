import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { ethernetFrame, linuxSll2Frame, linuxSllFrame } from '../build/link-frame.ts';
import { PacketItem } from '../files/capture-item.ts';
import { CaptureReader } from '../files/capture-reader.ts';
import { PcapWriter } from '../files/pcap-writer.ts';
import { linkType } from '../layers/link-type.ts';
import { allSamples, ascii, hex, tcpPacket, udpPacket } from '../samples.test.util.ts';
import { Randomness } from '../mutate.test.util.ts';
import { withFile } from '../tshark-oracle.test.util.ts';
import type { BpfInstruction } from './bpf-program.ts';
import { compileFilter } from './compile-filter.ts';
import { FilterError } from './filter-error.ts';
import { parseFilter } from './parse-filter.ts';
import { randomFilter, randomTokens } from './random-filter.test.util.ts';
import { checkBpf, runBpf } from './run-bpf.ts';

const skip =
  spawnSync('tcpdump', ['--version'], { stdio: 'ignore' }).status === 0
    ? false
    : 'tcpdump is not installed';

// One line a filter; every one is run on every packet of every link type that has it.
const filters = `
ip
ip6
arp
tcp
udp
sctp
icmp
icmp6
igmp
host 192.0.2.1
host 2001:db8::1
src host 192.0.2.1
dst host 192.0.2.1
src or dst host 192.0.2.1
src and dst host 192.0.2.1
src 192.0.2.1 and dst 198.51.100.7
ip host 192.0.2.1
ip src 192.0.2.1
arp host 192.0.2.1
ip6 host 2001:db8::1
ip6 src 2001:db8::1
net 192.0.2.0/24
net 192.0.2
net 192
dst net 198.51.100.0/24
net 192.0.2.0 mask 255.255.255.0
net 0.0.0.0/0
net 2001:db8::/32
src net 2001:db8:0:1::/64
dst net 2001:db8:0:1::/64
ip net 10.0.0.0/8
port 53
src port 53
dst port 53
src and dst port 5353
src or dst port 443
tcp port 443
udp port 53
sctp port 5000
tcp dst port 80
port 80 or 443
tcp port (80 or 443)
host 192.0.2.1 or 198.51.100.7
portrange 50000-50001
tcp portrange 40-90
udp src portrange 1-60000
portrange 90-40
tcp and port 443
tcp or udp and port 53
not tcp
not (tcp or udp)
! udp && ip
tcp and not port 443 and not port 80
not port 53 or arp
ip proto 6
ip proto \\\\udp
ip proto \\\\icmp
ip6 proto 17
ip6 proto 58
proto 17
proto \\\\tcp
greater 100
less 100
len > 100
len <= 60
len = 61 or len != 61
tcp[tcpflags] & (tcp-syn|tcp-ack) != 0
tcp[tcpflags] & tcp-syn != 0
tcp[tcpflags] == tcp-syn|tcp-ack
tcp[13] = 0x12
tcp[13] & 2 != 0 and not tcp[13] & 16 != 0
not tcp[13] & 2 != 0
tcp[0:2] = 40001
tcp[4:4] > 1000
tcp[((tcp[12] & 0xf0) >> 2):4] = 0x48545450
tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420
(tcp[12] >> 4) * 4 > 20
udp[4:2] > 20
udp[8:2] = 0x1234
icmp[icmptype] = icmp-echo or icmp[icmptype] == icmp-echoreply
icmp[0] != 8
icmp6[0] = 135
icmp6[icmp6type] = icmp6-echo
igmp[0] = 0x11
sctp[12] = 1
ip[0] & 0xf != 5
ip[8] < 64
ip[6:2] & 0x1fff = 0
ip[2:2] - (ip[0] & 0xf) * 4 > 20
ip[2:2] % 2 = 1
ip[2:2] / 3 >= 10
ip[9] ^ 6 = 0
ip[2:2] << 2 > 200
ip[8] | 1 = 65
ip[2:2] > ip[4:2]
len - 14 = ip[2:2]
ip[ip[0] & 0xf] = 1
ip6[6] = 44
ip6[7] >= 255
arp[6:2] = 1
arp[7] = 1 or ip6
ip multicast
ip6 multicast
1 = 1
5 + 3 * 2 = 11
(len > 50) and (ip or ip6)
((tcp))
(tcp or (udp and (port 53)))
tcp src port 80 and host 192.0.2.1
ether[0] & 1 = 1
link[2:2] = 0
`;

// Only where there are Ethernet addresses and tags.
const ethernetFilters = `
ether host 02:00:00:00:00:01
ether src 02:00:00:00:00:01
ether dst ff:ff:ff:ff:ff:ff
ether src host 02-00-00-00-00-01
ether proto 0x86dd
ether proto \\\\arp
ether broadcast
ether multicast
broadcast
multicast
vlan
vlan 291
vlan and udp
vlan 100 and ip6
vlan 100 and vlan 200
vlan 100 and vlan 200 and udp port 50001
not vlan
tcp or vlan
ether[12:2] = 0x800
ether[12:2] > 1500
`;

interface Capture {
  readonly name: string;
  readonly linkType: number;
  readonly packets: readonly Uint8Array[];
}

function isIp(frame: Uint8Array): boolean {
  return (frame[12] === 0x08 && frame[13] === 0) || frame[12] === 0x86;
}

/**
 * Each packet whole and cut where a header ends. Inside the ports the verdict hangs on the order of
 * the loads, and libpcap's optimizer merges those of several primitives.
 */
function withCuts(packets: readonly Uint8Array[], linkHeader: number): Uint8Array[] {
  const ends = [0, 20, 24, 40, 44, 60];
  return packets.flatMap((bytes, index) => [
    bytes,
    bytes.subarray(0, linkHeader + ends[index % ends.length]!),
  ]);
}

/** The IP packets of the samples, for the link types that carry them all. */
async function captures(): Promise<Capture[]> {
  const samples = await allSamples();
  const frames = samples.filter((sample) => sample.linkType === linkType.ethernet);
  const ip = frames
    .map((sample) => sample.bytes)
    .filter(isIp)
    .map((bytes) => bytes.subarray(14));
  const ethernet = frames.map((sample) => sample.bytes);
  return [
    { name: 'EN10MB', linkType: linkType.ethernet, packets: withCuts(ethernet, 14) },
    { name: 'RAW', linkType: linkType.raw, packets: withCuts(ip, 0) },
    {
      name: 'LINUX_SLL',
      linkType: linkType.linuxSll,
      packets: withCuts(
        ip.map((packet) => linuxSllFrame(packet)),
        16,
      ),
    },
    {
      name: 'LINUX_SLL2',
      linkType: linkType.linuxSll2,
      packets: withCuts(
        ip.map((packet) => linuxSll2Frame(packet)),
        20,
      ),
    },
  ];
}

function captureFile({ packets, linkType: link }: Capture): Uint8Array {
  const writer = new PcapWriter({ linkType: link, nanoseconds: false });
  const records = packets.map((buffer, index) =>
    writer.encode(new PacketItem({ buffer, seconds: index, nanoseconds: 0, linkType: link })),
  );
  return Buffer.concat([writer.header(), ...records]);
}

/** Undefined when libpcap found that no packet of this link type can pass. */
function tcpdump(args: readonly string[]): Buffer | undefined {
  const options = { maxBuffer: 1 << 26 };
  const { stdout, stderr, status } = spawnSync('tcpdump', ['-Z', 'root', ...args], options);
  if (stderr.includes('expression rejects all packets')) return undefined;
  assert.equal(status, 0, `tcpdump ${args.join(' ')}: ${stderr.toString()}`);
  return stdout;
}

/** Numbers of the packets that tcpdump lets through: their times are their numbers. */
function tcpdumpPasses(file: string, filter: string): number[] {
  const passed = tcpdump(['-r', file, '-w', '-', filter]);
  if (passed === undefined) return [];
  const items = [...new CaptureReader().push(passed)];
  return items.flatMap((item) => (item.type === 'packet' ? [item.seconds] : []));
}

/** The program that libpcap compiles, in the decimal form of -ddd. */
function tcpdumpProgram(file: string, filter: string): BpfInstruction[] {
  const printed = tcpdump(['-r', file, '-ddd', filter])?.toString() ?? '1\n6 0 0 0';
  const [, ...lines] = printed.trim().split('\n');
  return lines.map((line) => {
    const [code = 0, jt = 0, jf = 0, k = 0] = line.split(' ').map(Number);
    return { code, jt, jf, k };
  });
}

function passes(program: readonly BpfInstruction[], packets: readonly Uint8Array[]): number[] {
  checkBpf(program);
  return packets.flatMap((bytes, index) => (runBpf(program, { bytes }) > 0 ? [index] : []));
}

test('compileFilter() with runBpf() passes the packets that tcpdump passes, on every link type', {
  skip,
}, async (context) => {
  const wrongVerdicts: string[] = [];
  for (const capture of await captures()) {
    const lines = filters + (capture.linkType === linkType.ethernet ? ethernetFilters : '');
    const list = lines
      .trim()
      .split('\n')
      .map((line) => line.replaceAll('\\\\', '\\'));
    let some = 0;
    withFile(captureFile(capture), (file) => {
      for (const filter of list) {
        const expected = tcpdumpPasses(file, filter).join(' ');
        const ours = passes(compileFilter(filter, { linkType: capture.linkType }), capture.packets);
        const theirs = passes(tcpdumpProgram(file, filter), capture.packets);
        const what = `${capture.name}: ${filter}: tcpdump ${expected}`;
        if (ours.join(' ') !== expected)
          wrongVerdicts.push(`${what}, our program ${ours.join(' ')}`);
        if (theirs.join(' ') !== expected)
          wrongVerdicts.push(`${what}, its program ${theirs.join(' ')}`);
        if (ours.length > 0 && ours.length < capture.packets.length) some++;
      }
    });
    context.diagnostic(
      `${capture.name}: ${list.length} filters on ${capture.packets.length} packets, ${some} of them let some through`,
    );
    assert.ok(some > list.length / 2);
  }
  assert.deepEqual(wrongVerdicts, []);
});

test('compileFilter() with runBpf() passes what libpcap’s program passes, for random filters', {
  skip,
}, async (context) => {
  const [ethernet] = await captures();
  assert.ok(ethernet !== undefined);
  const whole = ethernet.packets.filter((_, index) => index % 2 === 0);
  const random = new Randomness(4711);
  let some = 0;
  withFile(captureFile({ ...ethernet, packets: whole }), (file) => {
    for (let round = 0; round < 150; round++) {
      const filter = randomFilter(random);
      const ours = passes(compileFilter(filter), whole);
      assert.deepEqual(ours, passes(tcpdumpProgram(file, filter), whole), filter);
      if (ours.length > 0 && ours.length < whole.length) some++;
    }
  });
  context.diagnostic(`${some} of 150 let some packets through`);
  assert.ok(some > 50);
});

test('compileFilter() of random words gives a sound program or a FilterError with a place in the text', () => {
  const random = new Randomness(12);
  let sound = 0;
  for (let round = 0; round < 20_000; round++) {
    const filter = randomTokens(random);
    try {
      checkBpf(compileFilter(filter));
      sound++;
    } catch (error) {
      assert.ok(error instanceof FilterError, filter);
      assert.ok(error.start >= 0 && error.start <= error.end && error.end <= filter.length, filter);
    }
  }
  assert.ok(sound > 100, `${sound}`);
});

const wrong: readonly (readonly [string, number, number, string])[] = [
  ['tcp prot 80', 4, 8, '"and", "or" or the end'],
  ['port http', 5, 9, 'a port number up to 65535'],
  ['port 65536', 5, 10, 'a port number up to 65535'],
  ['host example.org', 5, 16, 'an IP address (names are not looked up)'],
  ['host', 4, 4, 'an IP address (names are not looked up)'],
  ['ip host ::1', 8, 11, 'an IPv4 address'],
  ['ip6 host 1.2.3.4', 9, 16, 'an IPv6 address'],
  ['net 10.0.0.1/8', 4, 12, 'no bits of the address behind its mask'],
  ['net 10.0.0.0/33', 13, 15, 'a length up to 32'],
  ['(tcp', 4, 4, '")"'],
  ['tcp)', 3, 4, '"and", "or" or the end'],
  [
    'tcp and',
    7,
    7,
    'a protocol, "host", "net", "port", "src", "dst", "len", "vlan", "not", "(" or an address',
  ],
  ['tcp[13', 6, 6, '"]"'],
  ['tcp[13:3] = 1', 7, 8, '1, 2 or 4 bytes'],
  ['tcp[13]', 7, 7, 'a comparison: = != < > <= >='],
  ['tcp[13] = ', 10, 10, 'a number below 2^32, "len" or protocol[offset]'],
  ['len / 0 = 1', 6, 7, 'a divisor other than 0'],
  ['icmp port 5', 0, 9, '"tcp", "udp" or "sctp" before a port'],
  ['tcp host 1.2.3.4', 0, 8, '"ip", "ip6", "arp" or "ether" before an address'],
  ['portrange 5', 11, 11, '"-" and the last port of the range'],
  ['ip broadcast', 3, 12, '"multicast": the broadcast address depends on the network mask'],
  ['udp § 5', 4, 5, 'a word, a number, an address or an operator'],
  [
    'gateway 1.2.3.4',
    0,
    7,
    'a protocol, "host", "net", "port", "src", "dst", "len", "vlan", "not", "(" or an address',
  ],
];

for (const [filter, start, end, expected] of wrong) {
  test(`parseFilter() says where ${JSON.stringify(filter)} is wrong`, () => {
    assert.throws(
      () => parseFilter(filter),
      (error: unknown) => {
        assert.ok(error instanceof FilterError);
        assert.deepEqual([error.start, error.end, error.expected], [start, end, expected]);
        assert.equal(error.code, 'ERR_FILTER');
        assert.match(error.message, /^Cannot read filter: .* at column \d+, expected /);
        assert.ok(error.marked.startsWith(`${filter}\n${' '.repeat(start)}^`));
        return true;
      },
    );
  });
}

test('compileFilter() refuses VLANs and MAC addresses where the link type has none', () => {
  for (const filter of ['vlan', 'ether host 1:2:3:4:5:6', 'broadcast']) {
    assert.throws(() => compileFilter(filter, { linkType: linkType.raw }), FilterError);
  }
  assert.throws(() => compileFilter('tcp', { linkType: 147 }), /link type 147/);
});

test('compileFilter() of nothing passes everything', () => {
  assert.deepEqual(compileFilter('  '), [
    { code: 6, jt: 0, jf: 0, k: 262144 },
    { code: 6, jt: 0, jf: 0, k: 0 },
  ]);
});

test('compileFilter() places jumps that reach further than 255 instructions', { skip }, () => {
  const path = { source: '10.0.0.1', destination: '10.0.0.2' };
  const packets = [7, 100, 199, 400].map((port) =>
    ethernetFrame(udpPacket(path, [1, port], ascii('x'))),
  );
  const filter = Array.from({ length: 200 }, (_, port) => `udp dst port ${port}`).join(' or ');
  const program = compileFilter(filter);
  assert.ok(program.length > 2000);
  assert.deepEqual(passes(program, packets), [0, 1, 2]);
  assert.deepEqual(passes(compileFilter(`not (${filter})`), packets), [3]);
});

test('compileFilter() refuses a program that the kernel would not take', () => {
  const filter = Array.from({ length: 2000 }, (_, port) => `port ${port}`).join(' or ');
  assert.throws(() => compileFilter(filter), /instructions exceed 4096/);
});

test('parseFilter() refuses parentheses without end instead of overflowing the stack', () => {
  assert.throws(() => parseFilter('('.repeat(100_000)), FilterError);
  assert.throws(() => parseFilter('not '.repeat(100_000)), FilterError);
  assert.throws(
    () => parseFilter(`${'('.repeat(100_000)}1${')'.repeat(100_000)} = 1`),
    FilterError,
  );
});

test('runBpf() keeps what the program says and ends with 0 on a load outside the packet', () => {
  const tcp = compileFilter('tcp', { linkType: linkType.raw, snapLength: 96 });
  const packet = tcpPacket({ source: '10.0.0.1', destination: '10.0.0.2' }, {});
  assert.equal(runBpf(tcp, { bytes: packet }), 96);
  assert.equal(runBpf(tcp, { bytes: packet, end: 9 }), 0);
  const buffer = Uint8Array.of(1, 2, 3, ...packet, 4);
  assert.equal(runBpf(tcp, { bytes: buffer, start: 3, end: 3 + packet.length }), 96);
  assert.equal(
    runBpf(compileFilter('len > 1000'), { bytes: hex('00'), originalLength: 1500 }),
    262144,
  );
});

const badPrograms: readonly (readonly [string, BpfInstruction[]])[] = [
  ['no instruction', []],
  [
    'an unknown code',
    [
      { code: 0xff, jt: 0, jf: 0, k: 0 },
      { code: 6, jt: 0, jf: 0, k: 0 },
    ],
  ],
  ['no return', [{ code: 0, jt: 0, jf: 0, k: 0 }]],
  [
    'a jump behind the end',
    [
      { code: 0x15, jt: 0, jf: 9, k: 0 },
      { code: 6, jt: 0, jf: 0, k: 0 },
    ],
  ],
  [
    'memory outside',
    [
      { code: 2, jt: 0, jf: 0, k: 16 },
      { code: 6, jt: 0, jf: 0, k: 0 },
    ],
  ],
];

for (const [what, program] of badPrograms) {
  test(`checkBpf() refuses a program with ${what}`, () => {
    assert.throws(() => checkBpf(program), { name: 'RangeError', message: /^Cannot run BPF: / });
  });
}
