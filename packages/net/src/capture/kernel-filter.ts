import {
  type BpfInstruction,
  compileFilter,
  type FilterNode,
  linkType,
  parseFilter,
} from '../dissect/index.ts';

/** What the kernel is given to filter by, and what it leaves to us. */
export interface KernelFilter {
  /** For SO_ATTACH_FILTER. */
  readonly program: readonly BpfInstruction[];
  /** What we run on each packet that comes through; undefined where the kernel's verdict is final. */
  readonly rest: readonly BpfInstruction[] | undefined;
}

// linux/filter.h: a load from here asks the kernel for what it knows of the packet instead.
const SKF_AD_OFF = 0xffff_f000;
const SKF_AD_PROTOCOL = SKF_AD_OFF;
const COOKED_HEADER_BYTES = 20;

// linux/bpf_common.h: what the low bits of a code say.
const CLASS = 7;
const MODE = 0xe0;
const LD = 0;
const LDX = 1;
const ABS = 0x20;
const IND = 0x40;
const LEN = 0x80;
const MSH = 0xa0;
const RET_K = 0x06;
const LD_HALF_ABS = 0x28;

/**
 * Compiles a filter for a packet socket.
 *
 * Two things a packet socket shows differently than a file does. The kernel takes VLAN tags out of
 * the bytes before a filter sees them, so that what is about tags is left to us, after they are put
 * back. And a socket for all interfaces sees packets from the network header on: the cooked header
 * of LINKTYPE_LINUX_SLL2 is made by us, so that loads from it are moved, or left to us.
 *
 * @throws FilterError with the place that is wrong
 * @throws RangeError when the link type can't have such a filter
 */
export function kernelFilter(text: string, link: number, snapLength: number): KernelFilter {
  const program = compileFilter(text, { linkType: link, snapLength });
  const node = parseFilter(text);
  const everything = compileFilter('', { linkType: link, snapLength });
  if (node !== undefined && looksAtVlan(node)) return { program: everything, rest: program };
  if (link !== linkType.linuxSll2) return { program, rest: undefined };
  const moved = withoutCookedHeader(program);
  return moved === undefined
    ? { program: everything, rest: program }
    : { program: moved, rest: undefined };
}

function looksAtVlan(node: FilterNode): boolean {
  if (node.kind === 'vlan') return true;
  if (node.kind === 'not') return looksAtVlan(node.operand);
  return (
    (node.kind === 'and' || node.kind === 'or') &&
    (looksAtVlan(node.left) || looksAtVlan(node.right))
  );
}

/** The program for packets without their cooked header; undefined when it looks into that, or at the length. */
function withoutCookedHeader(program: readonly BpfInstruction[]): BpfInstruction[] | undefined {
  const moved = program.map(moveInstruction);
  return moved.every((instruction) => instruction !== undefined) ? moved : undefined;
}

function moveInstruction(instruction: BpfInstruction): BpfInstruction | undefined {
  const { code, k } = instruction;
  const kind = code & CLASS;
  const mode = code & MODE;
  if (code === RET_K) return instruction;
  if (kind !== LD && kind !== LDX) return instruction;
  if (mode === LEN) return undefined;
  if (mode !== ABS && mode !== IND && mode !== MSH) return instruction;
  // sll2.protocol; the kernel keeps it in the packet's own structure.
  if (code === LD_HALF_ABS && k === 0) return { ...instruction, k: SKF_AD_PROTOCOL };
  return k < COOKED_HEADER_BYTES ? undefined : { ...instruction, k: k - COOKED_HEADER_BYTES };
}
