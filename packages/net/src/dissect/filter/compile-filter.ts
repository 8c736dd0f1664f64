import { linkType } from '../layers/link-type.ts';
import { BpfAssembler, Label } from './bpf-assembler.ts';
import { bpf, type BpfInstruction, bpfMaxInstructions } from './bpf-program.ts';
import { FilterGenerator } from './filter-generator.ts';
import { linkLayout } from './link-layout.ts';
import { parseFilter } from './parse-filter.ts';

/** How a filter is compiled. */
export interface CompileFilterOptions {
  /** LINKTYPE_ number of the packets; default 1, Ethernet. Also 101 (raw IP), 113 and 276 (Linux cooked). */
  readonly linkType?: number;
  /** Bytes that the program says to keep of a packet that passes; default 262144, tcpdump's own. */
  readonly snapLength?: number;
}

/**
 * Compiles a filter of pcap-filter(7)'s language into classic BPF, which the kernel attaches
 * (SO_ATTACH_FILTER) and `runBpf()` runs. The empty filter passes everything.
 *
 * The verdict is that of tcpdump on the same packet; so are its peculiarities: after `vlan` all that
 * follows looks behind the tag, `tcp[…]` looks at IPv4 only, and ports of IPv6 are found only
 * directly behind the IPv6 header.
 *
 * @throws FilterError with the place that is wrong
 * @throws RangeError when the link type is not supported, or the program exceeds 4096 instructions
 *
 * @example
 * ```ts
 * const program = compileFilter('tcp[tcpflags] & (tcp-syn|tcp-ack) != 0', { linkType: 101 });
 * assert.equal(runBpf(program, { bytes: new Uint8Array(40) }), 0);
 * ```
 */
export function compileFilter(
  filter: string,
  options: CompileFilterOptions = {},
): BpfInstruction[] {
  const layout = linkLayout(options.linkType ?? linkType.ethernet);
  const node = parseFilter(filter);
  const code = new BpfAssembler();
  const accept = new Label();
  const reject = new Label();
  if (node !== undefined) {
    new FilterGenerator(filter, layout, code).generate(node, accept, reject);
  }
  code.place(accept).emit(bpf.retK, options.snapLength ?? 262_144);
  code.place(reject).emit(bpf.retK, 0);
  const program = code.assemble();
  if (program.length > bpfMaxInstructions) {
    throw new RangeError(
      `Cannot compile filter: ${program.length} instructions exceed ${bpfMaxInstructions}`,
    );
  }
  return program;
}
