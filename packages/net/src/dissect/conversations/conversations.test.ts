import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ipPacket } from '../build/ip-packet.ts';
import { ethernetFrame } from '../build/link-frame.ts';
import { internetChecksum } from '../checksum/internet-checksum.ts';
import { createDissector } from '../dissect.ts';
import { linkType } from '../layers/link-type.ts';
import { ascii, conversation, tcpPacket, udpPacket } from '../samples.test.util.ts';
import { displayWidth } from '../text/display-width.ts';
import {
  type OracleField,
  samplesFile,
  tsharkOracleMissing,
  tsharkPackets,
  withFile,
} from '../tshark-oracle.test.util.ts';
import { addConversationFields } from './add-conversation-fields.ts';
import {
  type ConversationEvent,
  ConversationTracker,
  type StreamRest,
  type ConversationTrackerOptions,
} from './conversation-tracker.ts';
import { sequenceSvg } from './sequence-svg.ts';
import { sequenceText } from './sequence-text.ts';
import { TcpConversation } from './tcp-conversation.ts';

const path = { source: '192.0.2.1', destination: '198.51.100.7' };
const back = { source: path.destination, destination: path.source };

interface Sent {
  /** `>` from the client, `<` from the server. */
  readonly way: '>' | '<';
  readonly flags: number;
  /** Relative to the initial sequence numbers 1000 and 9000. */
  readonly seq: number;
  readonly ack?: number;
  readonly length?: number;
  readonly window?: number;
  readonly options?: readonly number[];
  /** Milliseconds since the start. */
  readonly at: number;
}

const [SYN, ACK, PSH, FIN, RST] = [0x02, 0x10, 0x18, 0x11, 0x04];
const scale = [3, 3, 4, 1, 2, 4, 5, 0xb4];

const open: readonly Sent[] = [
  { way: '>', flags: SYN, seq: 0, at: 0, options: scale },
  { way: '<', flags: SYN | ACK, seq: 0, ack: 1, at: 10, options: scale },
  { way: '>', flags: ACK, seq: 1, ack: 1, at: 20, window: 100 },
];

function packetOf({ way, flags, seq, ack, length = 0, window, options }: Sent): Uint8Array {
  const isClient = way === '>';
  return tcpPacket(isClient ? path : back, {
    sourcePort: isClient ? 40000 : 50002,
    destinationPort: isClient ? 50002 : 40000,
    sequence: (isClient ? 1000 : 9000) + seq,
    acknowledgment: ack === undefined ? 0 : (isClient ? 9000 : 1000) + ack,
    flags,
    window: window ?? 1000,
    payload: Uint8Array.from({ length }, (_, index) => 97 + ((seq + index) % 26)),
    ...(options === undefined ? {} : { options }),
  });
}

function track(sent: readonly Sent[], options?: ConversationTrackerOptions): ConversationEvent[] {
  const tracker = new ConversationTracker(options);
  return sent.map((segment) => {
    const buffer = packetOf(segment);
    const nanoseconds = Math.round((segment.at % 1000) * 1e6);
    const event = tracker.push({
      buffer,
      linkType: linkType.raw,
      seconds: 100 + Math.floor(segment.at / 1000),
      nanoseconds,
    });
    assert.ok(event !== undefined);
    return event;
  });
}

function tcpOf(events: readonly ConversationEvent[]): TcpConversation {
  const found = events.at(-1)?.conversation;
  assert.ok(found instanceof TcpConversation);
  return found;
}

const states = (events: readonly ConversationEvent[]): string[] =>
  events.map(({ segment }) => `${segment?.states.client} ${segment?.states.server}`);

test('ConversationTracker recognises the three segments of a handshake with both kinds of numbers', () => {
  const events = track(open);
  const { handshake, state, sides } = tcpOf(events);
  assert.deepEqual(
    [handshake?.syn, handshake?.synAck, handshake?.ack].map((note) => [
      note?.flags,
      note?.sequence,
      note?.acknowledgment,
    ]),
    [
      ['SYN', { absolute: 1000, relative: 0 }, undefined],
      ['SYN+ACK', { absolute: 9000, relative: 0 }, { absolute: 1001, relative: 1 }],
      ['ACK', { absolute: 1001, relative: 1 }, { absolute: 9001, relative: 1 }],
    ],
  );
  assert.equal(handshake?.rttNs, 20e6);
  assert.deepEqual(states(events), [
    'SYN-SENT LISTEN',
    'SYN-SENT SYN-RECEIVED',
    'ESTABLISHED ESTABLISHED',
  ]);
  assert.deepEqual(state, { client: 'ESTABLISHED', server: 'ESTABLISHED' });
  assert.deepEqual([sides.client.windowShift, sides.client.maximumSegment], [4, 1460]);
  assert.deepEqual(
    events.map((event) => event.isNew),
    [true, false, false],
  );
});

test('ConversationTracker names the states of a close in four segments', () => {
  const events = track([
    ...open,
    { way: '>', flags: FIN, seq: 1, ack: 1, at: 30 },
    { way: '<', flags: ACK, seq: 1, ack: 2, at: 40 },
    { way: '<', flags: FIN, seq: 1, ack: 2, at: 50 },
    { way: '>', flags: ACK, seq: 2, ack: 2, at: 60 },
  ]);
  assert.deepEqual(states(events).slice(3), [
    'FIN-WAIT-1 CLOSE-WAIT',
    'FIN-WAIT-2 CLOSE-WAIT',
    'TIME-WAIT LAST-ACK',
    'TIME-WAIT CLOSED',
  ]);
  const { close } = tcpOf(events);
  assert.deepEqual(
    close?.steps.map((step) => step.step),
    ['FIN', 'ACK of FIN', 'FIN', 'ACK of FIN'],
  );
  assert.deepEqual([close?.by, close?.how, close?.isComplete], ['client', 'FIN', true]);
});

test('ConversationTracker names the states of a close in three segments, begun by the server', () => {
  const events = track([
    ...open,
    { way: '<', flags: FIN, seq: 1, ack: 1, at: 30 },
    { way: '>', flags: FIN, seq: 1, ack: 2, at: 40 },
    { way: '<', flags: ACK, seq: 2, ack: 2, at: 50 },
  ]);
  assert.deepEqual(states(events).slice(3), [
    'CLOSE-WAIT FIN-WAIT-1',
    'LAST-ACK TIME-WAIT',
    'CLOSED TIME-WAIT',
  ]);
  assert.deepEqual([tcpOf(events).close?.by, tcpOf(events).close?.how], ['server', 'FIN']);
});

test('ConversationTracker names the states of a simultaneous close', () => {
  const events = track([
    ...open,
    { way: '>', flags: FIN, seq: 1, ack: 1, at: 30 },
    { way: '<', flags: FIN, seq: 1, ack: 1, at: 30.1 },
    { way: '>', flags: ACK, seq: 2, ack: 2, at: 40 },
    { way: '<', flags: ACK, seq: 2, ack: 2, at: 40.1 },
  ]);
  assert.deepEqual(states(events).slice(4), [
    'CLOSING CLOSING',
    'CLOSING TIME-WAIT',
    'TIME-WAIT TIME-WAIT',
  ]);
  assert.equal(tcpOf(events).close?.how, 'simultaneous FIN');
});

test('ConversationTracker names a reset and who sent it', () => {
  const events = track([...open, { way: '<', flags: RST | ACK, seq: 1, ack: 1, at: 30 }]);
  assert.equal(states(events).at(-1), 'CLOSED CLOSED');
  assert.deepEqual([tcpOf(events).close?.by, tcpOf(events).close?.how], ['server', 'RST']);
  assert.equal(events.at(-1)?.segment?.step, 'RST');
});

test('ConversationTracker names a simultaneous open', () => {
  const events = track([
    { way: '>', flags: SYN, seq: 0, at: 0 },
    { way: '<', flags: SYN, seq: 0, at: 1 },
    { way: '>', flags: SYN | ACK, seq: 0, ack: 1, at: 2 },
    { way: '<', flags: SYN | ACK, seq: 0, ack: 1, at: 3 },
    { way: '>', flags: ACK, seq: 1, ack: 1, at: 4 },
  ]);
  assert.deepEqual(states(events), [
    'SYN-SENT LISTEN',
    'SYN-SENT SYN-SENT',
    'SYN-RECEIVED SYN-SENT',
    'SYN-RECEIVED SYN-RECEIVED',
    'ESTABLISHED ESTABLISHED',
  ]);
});

/** Loss, reordering, a closed window: what makes a connection slow. */
const troubled: readonly Sent[] = [
  ...open,
  { way: '>', flags: PSH, seq: 1, ack: 1, length: 100, at: 30, window: 100 },
  { way: '<', flags: ACK, seq: 1, ack: 101, at: 50 },
  // 101..201 is lost, and asked for by three duplicates.
  { way: '>', flags: ACK, seq: 201, ack: 1, length: 100, at: 60, window: 100 },
  { way: '<', flags: ACK, seq: 1, ack: 101, at: 80 },
  { way: '>', flags: ACK, seq: 301, ack: 1, length: 100, at: 81, window: 100 },
  { way: '<', flags: ACK, seq: 1, ack: 101, at: 82 },
  { way: '>', flags: ACK, seq: 401, ack: 1, length: 100, at: 83, window: 100 },
  { way: '<', flags: ACK, seq: 1, ack: 101, at: 84 },
  { way: '>', flags: ACK, seq: 101, ack: 1, length: 100, at: 85, window: 100 },
  { way: '<', flags: ACK, seq: 1, ack: 501, at: 105 },
  // Two segments change places.
  { way: '>', flags: ACK, seq: 601, ack: 1, length: 100, at: 110, window: 100 },
  { way: '>', flags: ACK, seq: 501, ack: 1, length: 100, at: 110.5, window: 100 },
  { way: '<', flags: ACK, seq: 1, ack: 701, at: 130 },
  // Sent again after a timeout.
  { way: '>', flags: ACK, seq: 701, ack: 1, length: 100, at: 140, window: 100 },
  { way: '>', flags: ACK, seq: 701, ack: 1, length: 100, at: 340, window: 100 },
  { way: '<', flags: ACK, seq: 1, ack: 801, at: 360, window: 0 },
  { way: '<', flags: ACK, seq: 1, ack: 801, at: 400, window: 500 },
  // Sent again although acknowledged.
  { way: '>', flags: ACK, seq: 701, ack: 1, length: 100, at: 410, window: 100 },
  { way: '<', flags: PSH, seq: 1, ack: 801, length: 50, at: 420, window: 500 },
  { way: '>', flags: ACK, seq: 801, ack: 51, at: 440, window: 100 },
  { way: '>', flags: ACK, seq: 800, ack: 51, at: 10_440, window: 100 },
  { way: '<', flags: ACK, seq: 51, ack: 801, at: 10_460, window: 500 },
];

test('ConversationTracker marks loss, reordering, closed windows and keep-alives', () => {
  const events = track(troubled);
  const marks = events.map(({ segment }) => segment?.marks.join() ?? '');
  assert.deepEqual(marks.slice(5), [
    'previous segment missing',
    'duplicate ACK',
    '',
    'duplicate ACK',
    '',
    'duplicate ACK',
    'fast retransmission',
    '',
    'previous segment missing',
    'out of order',
    '',
    '',
    'retransmission',
    'zero window',
    'window update',
    'spurious retransmission',
    '',
    '',
    'keep-alive',
    'keep-alive ACK',
  ]);
  const { client, server } = tcpOf(events).sides;
  assert.deepEqual([client.bytes, client.bytesSent, server.bytes], [800, 1000, 50]);
  assert.deepEqual(
    [client.retransmissions, client.outOfOrder, server.duplicateAcks, server.zeroWindows],
    [3, 1, 3, 1],
  );
  assert.equal(client.roundTrips.minimumNs, 10e6);
});

const analysis: Readonly<Record<string, string>> = {
  'tcp.analysis.lost_segment': 'previous segment missing',
  'tcp.analysis.duplicate_ack': 'duplicate ACK',
  'tcp.analysis.out_of_order': 'out of order',
  'tcp.analysis.fast_retransmission': 'fast retransmission',
  'tcp.analysis.spurious_retransmission': 'spurious retransmission',
  'tcp.analysis.retransmission': 'retransmission',
  'tcp.analysis.zero_window': 'zero window',
  'tcp.analysis.window_update': 'window update',
  'tcp.analysis.keep_alive': 'keep-alive',
  'tcp.analysis.keep_alive_ack': 'keep-alive ACK',
};

/** tshark names a fast or spurious retransmission a retransmission as well. */
function theirMarks(fields: readonly OracleField[]): string {
  const found = new Set(fields.flatMap(({ name }) => analysis[name] ?? []));
  if (found.size > 1) found.delete('retransmission');
  return [...found].join();
}

test('ConversationTracker agrees with tshark on numbers, windows, round trips and marks', {
  skip: tsharkOracleMissing() ?? false,
}, () => {
  const samples = troubled.map((sent) => ({
    name: '',
    linkType: linkType.raw,
    bytes: packetOf(sent),
  }));
  const file = samplesFile(
    samples,
    troubled.map((sent) => BigInt(Math.round(sent.at * 1e6)) + 100_000_000_000n),
  );
  const theirs = withFile(file, (name) =>
    tsharkPackets(name, ['-o', 'tcp.relative_sequence_numbers:TRUE']),
  );
  const events = track(troubled);
  for (const [index, { segment }] of events.entries()) {
    const { fields } = theirs[index]!;
    const value = (name: string): string | undefined =>
      fields.find((field) => field.name === name)?.show;
    const what = `segment ${index + 1}`;
    assert.equal(String(segment?.sequence.relative), value('tcp.seq'), what);
    assert.equal(String(segment?.acknowledgment?.relative ?? 0), value('tcp.ack'), what);
    assert.equal(String(segment?.window), value('tcp.window_size'), what);
    assert.equal(segment?.marks.join() ?? '', theirMarks(fields), what);
    const rtt = value('tcp.analysis.ack_rtt');
    // Karn: tshark also gives round trips of segments that were sent twice.
    if (segment?.rttNs !== undefined) assert.equal((segment.rttNs / 1e9).toFixed(9), rtt, what);
  }
});

test('addConversationFields() adds the fields under tshark’s names, with the bits of the raw ones', () => {
  const dissect = createDissector();
  const events = track(troubled);
  const valuesOf = (index: number): [string, unknown][] => {
    const { layers } = dissect(packetOf(troubled[index]!), { linkType: linkType.raw });
    const before = layers.flatMap((layer) => layer.fields).length;
    const note = events[index]?.segment;
    if (note !== undefined) addConversationFields(layers, note);
    const added = layers
      .flatMap((layer) => layer.fields)
      .filter((field) => /tcp\.(?:seq|ack|window_size|analysis\.\w+)$/.test(field.name));
    assert.equal(layers.flatMap((layer) => layer.fields).length, before + added.length);
    assert.deepEqual(layers[2]?.field('tcp.seq')?.bits, layers[2]?.field('tcp.seq_raw')?.bits);
    return added.map((field) => [field.name, field.value]);
  };
  assert.deepEqual(valuesOf(1), [
    ['tcp.seq', 0],
    ['tcp.ack', 1],
    ['tcp.window_size', 1000],
    ['tcp.analysis.ack_rtt', 0.01],
    ['tcp.analysis.acks_frame', 1],
  ]);
  assert.deepEqual(valuesOf(11), [
    ['tcp.seq', 101],
    ['tcp.ack', 1],
    ['tcp.window_size', 1600],
    ['tcp.analysis.fast_retransmission', true],
  ]);
});

test('ConversationTracker with streams gives the payload in order and once', () => {
  const events = track(troubled, { streams: true });
  const text = (from: string): string =>
    events
      .filter((event) => event.from === from)
      .flatMap((event) => event.stream ?? [])
      .map((part) =>
        part.type === 'data' ? Buffer.from(part.bytes).toString() : `<${part.missing}>`,
      )
      .join('');
  assert.equal(text('client').length, 800);
  assert.equal(
    text('client'),
    Array.from({ length: 800 }, (_, index) => String.fromCharCode(97 + ((index + 1) % 26))).join(
      '',
    ),
  );
  assert.equal(text('server').length, 50);
});

test('ConversationTracker gives what stands behind a hole at the end, and when the addresses open again', () => {
  const tracker = new ConversationTracker({ streams: true });
  const push = (sent: Sent): ConversationEvent | undefined =>
    tracker.push({
      buffer: packetOf(sent),
      linkType: linkType.raw,
      seconds: 100,
      nanoseconds: sent.at,
    });
  const lost = (start: number): void => {
    push({ way: '>', flags: SYN, seq: start, at: 0 });
    push({ way: '>', flags: PSH, seq: start + 1, ack: 1, length: 10, at: 1 });
    push({ way: '>', flags: PSH, seq: start + 22, ack: 1, length: 5, at: 2 });
  };
  const shapeOf = (rests: readonly StreamRest[] = []): unknown =>
    rests.map(({ from, stream }) => [
      from,
      stream.map((part) => (part.type === 'gap' ? -part.missing : part.bytes.length)),
    ]);
  lost(1000);
  const event = push({ way: '>', flags: SYN, seq: 9000, at: 3 });
  assert.deepEqual(shapeOf(event?.rests), [['client', [-11, 5]]]);
  lost(9000);
  assert.deepEqual(shapeOf(tracker.end()), [['client', [-11, 5]]]);
  assert.deepEqual(tracker.end(), []);
});

test('ConversationTracker takes a connection that was open before', () => {
  const events = track([
    { way: '<', flags: PSH, seq: 5000, ack: 700, length: 10, at: 0 },
    { way: '>', flags: ACK, seq: 700, ack: 5010, at: 20 },
  ]);
  const { state, handshake, sides } = tcpOf(events);
  assert.deepEqual(state, { client: 'ESTABLISHED', server: 'ESTABLISHED' });
  assert.equal(handshake, undefined);
  assert.equal(events[1]?.segment?.acknowledgment?.relative, 10);
  assert.equal(events[1]?.segment?.sequence.relative, 0);
  // Neither port is a well-known one: who was seen first counts as the client.
  assert.equal(sides.client.roundTrips.count, 1);
});

test('ConversationTracker begins another conversation when the same addresses open again', () => {
  const tracker = new ConversationTracker();
  const push = (sent: Sent): ConversationEvent | undefined =>
    tracker.push({ buffer: packetOf(sent), linkType: linkType.raw, seconds: 0, nanoseconds: 0 });
  for (const sent of open) push(sent);
  push({ way: '<', flags: RST, seq: 1, at: 30 });
  assert.equal(push({ way: '>', flags: SYN, seq: 77, at: 40 })?.isNew, true);
  assert.equal([...tracker.conversations()].length, 2);
  // Sent again: the same. With another number: the end of the one before was not captured.
  assert.equal(push({ way: '>', flags: SYN, seq: 77, at: 50 })?.isNew, false);
  assert.equal(push({ way: '>', flags: SYN, seq: 99, at: 60 })?.isNew, true);
  assert.equal([...tracker.conversations()].length, 3);
});

test('ConversationTracker counts UDP and matches pings with their replies', () => {
  const tracker = new ConversationTracker();
  const push = (packet: Uint8Array, ms: number): ConversationEvent | undefined =>
    tracker.push({ buffer: ethernetFrame(packet), seconds: 0, nanoseconds: ms * 1e6 });
  push(udpPacket(path, [5000, 53], ascii('question')), 0);
  const answer = push(udpPacket(back, [53, 5000], ascii('the answer')), 1);
  assert.ok(answer?.conversation.type === 'udp');
  assert.deepEqual(answer.conversation.sides, {
    client: { packets: 1, bytes: 8 },
    server: { packets: 1, bytes: 10 },
  });
  const ping = (way: typeof path, type: number, sequence: number): Uint8Array => {
    const message = Uint8Array.of(type, 0, 0, 0, 1, 2, 0, sequence, 9, 9);
    new DataView(message.buffer).setUint16(2, internetChecksum(message, 0, message.length));
    return ipPacket({ ...way, protocol: 1, payload: message });
  };
  push(ping(path, 8, 1), 10);
  push(ping(path, 8, 2), 20);
  const reply = push(ping(back, 0, 1), 25);
  assert.ok(reply?.conversation.type === 'icmp');
  assert.equal(reply.rttNs, 15e6);
  assert.deepEqual(
    [reply.conversation.requests, reply.conversation.replies, reply.conversation.unanswered],
    [2, 1, 1],
  );
});

test('ConversationTracker forgets the longest silent conversations above maxConversations', () => {
  const tracker = new ConversationTracker({ maxConversations: 10 });
  for (let port = 1; port <= 100; port++) {
    tracker.push({
      buffer: ethernetFrame(udpPacket(path, [port, 5000], ascii('x'))),
      seconds: 0,
      nanoseconds: 0,
    });
  }
  const left = [...tracker.conversations()].map((found) => found.client.port);
  assert.deepEqual(left, [91, 92, 93, 94, 95, 96, 97, 98, 99, 100]);
  assert.equal(tracker.forgotten, 90);
});

function chat(): TcpConversation {
  const tracker = new ConversationTracker();
  const packets = conversation(8090, [
    ['client', new TextEncoder().encode('你好，世界 \u001b[31m<b>"&"</b>\u202e')],
    ['server', new TextEncoder().encode('再见'.repeat(30))],
  ]);
  const events = packets.map((packet, index) =>
    tracker.push({ buffer: ethernetFrame(packet), seconds: index, nanoseconds: 0 }),
  );
  const found = events.at(-1)?.conversation;
  assert.ok(found instanceof TcpConversation);
  return found;
}

test('sequenceText() draws lines of equal width whatever the payload, and nothing acts on the terminal', () => {
  for (const columns of [40, 80, 100, 133]) {
    const lines = sequenceText(chat(), { columns }).trimEnd().split('\n');
    assert.deepEqual([...new Set(lines.map(displayWidth))], [columns]);
    assert.doesNotMatch(lines.join(''), /[\p{Cc}\u202e]/u);
  }
  const text = sequenceText(chat(), { columns: 120 });
  assert.match(text, /192\.0\.2\.1:40001 +198\.51\.100\.7:8090/);
  assert.match(text, /│─ SYN seq 0 \(1000\) ─+▶│/);
  assert.match(text, /│◀─ SYN\+ACK seq 0 \(9000\) ack 1 \(1001\) ─+│/);
  assert.match(text, /"你好，世界 \\x1b\[31m<b>"&"<\/b>\\u\{202e\}"/);
  assert.match(text, /│ TIME-WAIT +CLOSED │/);
  assert.match(sequenceText(chat(), { ascii: true }), /\|- SYN seq 0 \(1000\) -+>\|/);
});

test('sequenceSvg() is a document of its own with escaped text', () => {
  const svg = sequenceSvg(chat());
  assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  assert.match(svg, /&lt;b&gt;&quot;&amp;&quot;&lt;\/b&gt;/);
  assert.doesNotMatch(svg, /<b>|<script|\u202e/);
  assert.equal(svg.match(/marker-end/g)?.length, 8);
});

test('ConversationTracker keeps the first and the last segments and counts those between', () => {
  const data = Array.from(
    { length: 50 },
    (_, index): Sent => ({
      way: '>',
      flags: PSH,
      seq: 1 + index,
      ack: 1,
      length: 1,
      at: 30 + index,
    }),
  );
  const events = track([...open, ...data], { maxSegments: 10 });
  const found = tcpOf(events);
  assert.deepEqual([[...found.segments].length, found.segments.omitted], [10, 43]);
  assert.match(sequenceText(found), /43 segments not shown/);
});
