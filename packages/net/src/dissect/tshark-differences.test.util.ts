// Every accepted difference from tshark, with its reason. A difference that no entry covers fails
// the comparison.

export interface DifferenceKey {
  readonly packet: string;
  readonly field: string;
  readonly kind: string;
  readonly ours: string;
  readonly theirs: string;
}

interface Explanation {
  readonly field: RegExp;
  /** `value`, `place`, `ours only`, `theirs only`, `layer`. */
  readonly kind: string;
  readonly packet?: RegExp;
  readonly ours?: RegExp;
  readonly theirs?: RegExp;
  readonly reason: string;
}

export const explanations: readonly Explanation[] = [
  {
    field: /^(?:num|len|caplen|timestamp|frame\..*)$/,
    kind: 'theirs only',
    reason: 'the capture record, not the packet: here a PacketItem',
  },
  {
    field: /^(?:_ws\.|.*\.expert$|.*_bad$|udp\.checksum\.bad$)/,
    kind: 'theirs only',
    reason:
      "expert notes on checksums and malformed bytes: here the status field and the dissection's stops",
  },
  {
    field:
      /^(?:ip\.ttl\.too_small|tcp\.connection\.\w+|tcp\.option\.len\.invalid|tcp\.options\.mss\.(?:absent|present)|http\.chat)$/,
    kind: 'theirs only',
    reason: 'expert notes about what is unusual, not fields of the packet',
  },
  {
    field: /^(?:eth\.addr)$/,
    kind: 'theirs only',
    reason: 'a copy of source and destination for display filters',
  },
  {
    field:
      /^(?:tcp\.(?:stream|seq|ack|nxtseq|completeness|time_\w+|analysis.*|pdu\.size|window_size|window_size_scalefactor)|udp\.(?:stream|time_\w+)|sctp\.(?:assoc_index|sack_gap_block_\w+_tsn|sack_number_of_tsns_gap_acked)|icmp\.resp\w*|icmpv6\.resp\w*|dns\.unsolicited|http\.(?:re\w+_in|re\w+_number|response_for\.uri|time|request\.full_uri)|tls\.app_data_proto)$/,
    kind: 'theirs only',
    reason: 'knowledge from other packets of the conversation: ConversationTracker has it',
  },
  {
    field: /^(?:ip|tcp|udp)\.checksum_calculated$/,
    kind: 'theirs only',
    reason: 'the status says whether the sum is right; what it should be is not in the packet',
  },
  {
    field:
      /^(?:tcp\.options\.(?:mss|nop|eol|sack|sack_perm|timestamp|wscale|tfo|md5|ao|experimental|unknown|user_to)|ip\.options\.\w+|ipv6\.opt|icmpv6\.opt|icmpv6\.mldr\.mar|tls\.(?:record|handshake|alert_message|change_cipher_spec)|tls\.handshake\.(?:ciphersuites|comp_methods|sig_hash_algs|extensions_(?:alpn_list|ec_point_formats|supported_groups))|websocket\.payload\.close)$/,
    kind: 'theirs only',
    reason: 'a branch of the tree: its leaves are compared',
  },
  {
    field: /^(?:tcp\.flags\.str|http\.response\.code\.desc|http\.request\.uri\.(?:path|query.*))$/,
    kind: 'theirs only',
    reason: 'another writing of a field that is compared',
  },
  {
    field: /^tls\.handshake\.(?:ja3.*|random_time|random_bytes)$/,
    kind: 'theirs only',
    reason: 'fingerprints, and a reading of the random value that TLS 1.3 gave up (RFC 8446 C.1)',
  },
  {
    field: /^tls\.record\.(?:opaque_type|content_type)$/,
    kind: 'theirs only',
    reason: 'tshark renames the type once an earlier packet chose TLS 1.3',
  },
  {
    field: /^tls\.record\.content_type$/,
    kind: 'ours only',
    packet: /^(?:TLS|live)/,
    reason: 'see tls.record.opaque_type',
  },
  {
    field: /^tls\.handshake\.extension\.data$/,
    kind: 'theirs only',
    theirs: /^$/,
    reason: 'no bytes',
  },
  {
    field: /^icmpv6\.opt\.reserved$/,
    kind: 'theirs only',
    reason: 'reserved bytes without a value in tshark either',
  },
  {
    field: /^sctp\.sack_nounce_sum$/,
    kind: 'theirs only',
    reason: 'the experimental nonce sum of RFC 3540, never adopted',
  },
  {
    field: /^ip\.version$/,
    kind: 'theirs only',
    packet: /IPv6/,
    reason: 'tshark repeats the version of IPv6 under the name of IPv4',
  },
  {
    field: /^tcp\.option_kind$/,
    kind: 'theirs only',
    theirs: /^0$/,
    reason: 'End of Option List ends the list (RFC 9293 3.2); tshark reads on through the padding',
  },
  {
    field: /^tcp\.option_(?:kind|len)$/,
    kind: 'ours only',
    packet: /wrong option length/,
    reason: 'tshark hides an option whose length is wrong; we show it and stop there',
  },
  {
    field: /^dns\.flags\.authenticated$/,
    kind: 'ours only',
    ours: /^false$/,
    reason:
      'a query may ask for authenticated data too (RFC 6840 5.7); tshark shows it in responses only',
  },
  {
    field: /^dns\.resp\.name$/,
    kind: 'value',
    ours: /^\.$/,
    theirs: /^<Root> /,
    reason: 'the root is written as in master files',
  },
  {
    field: /^dns\.(?:resp\.name|srv\.(?:service|proto|name))$/,
    kind: '',
    packet: /SRV/,
    reason: 'tshark splits the owner of an SRV record into service, protocol and name',
  },
  {
    field: /^dhcp\.option\.type$/,
    kind: 'value',
    theirs: /^0 ff$/,
    reason: "tshark shows End's 255 as 0",
  },
  {
    field: /^http\.unknown_header$/,
    kind: 'ours only',
    reason: 'tshark shows a header without a field of its own in http.request.line only',
  },
  {
    field: /^data\.(?:data|len)$/,
    kind: 'theirs only',
    packet: /^(?:HTTP|WebSocket|SCTP)/,
    reason:
      'a body that tshark hands to the data dissector: http.file_data and websocket.payload here',
  },
  {
    field: /^websocket\.(?:masked_)?payload$/,
    kind: 'value',
    reason: 'a branch without a value in tshark; the bytes as they are on the wire here',
  },
  {
    field: /^websocket\.payload(?:\.text)?$/,
    kind: '',
    packet: /^WebSocket/,
    reason: 'tshark hands the unmasked text to another dissector under a branch of that name',
  },
  {
    field: /^udp\.checksum\.status$/,
    kind: 'value',
    packet: /routing header with segments left/,
    ours: /^unverified$/,
    reason: 'the sum covers the final destination (RFC 8200 8.1), which tshark does not look for',
  },
  {
    field: /^(?:tcp|udp)\.checksum\.status$/,
    kind: 'value',
    packet: /^live$/,
    ours: /^unverified$/,
    theirs: /^0 /,
    reason:
      'captured on the sending host: only the sum of the pseudo-header is there, which is not bad',
  },
];

const used = new Set<Explanation>();

export function isExplained(difference: DifferenceKey): boolean {
  const found = explanations.filter(
    (entry) =>
      entry.field.test(difference.field) &&
      (entry.kind === '' || entry.kind === difference.kind) &&
      (entry.packet === undefined || entry.packet.test(difference.packet)) &&
      (entry.ours === undefined || entry.ours.test(difference.ours)) &&
      (entry.theirs === undefined || entry.theirs.test(difference.theirs)),
  );
  for (const entry of found) used.add(entry);
  return found.length > 0;
}

/** Reasons that no difference has needed so far: they are to be deleted. */
export function unusedReasons(): string[] {
  return explanations.filter((entry) => !used.has(entry)).map((entry) => entry.reason);
}
