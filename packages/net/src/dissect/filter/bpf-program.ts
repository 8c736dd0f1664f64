/** One instruction of classic BPF, as `struct sock_filter` has it (linux/filter.h). */
export interface BpfInstruction {
  readonly code: number;
  /** Instructions to skip when the comparison holds. */
  readonly jt: number;
  /** Instructions to skip when it doesn't. */
  readonly jf: number;
  readonly k: number;
}

/** Codes of linux/bpf_common.h, already combined. A is the accumulator, X the index register. */
export const bpf = {
  ldWordAbs: 0x20,
  ldHalfAbs: 0x28,
  ldByteAbs: 0x30,
  ldWordInd: 0x40,
  ldHalfInd: 0x48,
  ldByteInd: 0x50,
  ldLen: 0x80,
  ldImm: 0x00,
  ldMem: 0x60,
  ldxImm: 0x01,
  ldxMem: 0x61,
  ldxLen: 0x81,
  /** X = 4 · (byte & 15): the length of an IPv4 header. */
  ldxMsh: 0xb1,
  st: 0x02,
  stx: 0x03,
  addK: 0x04,
  addX: 0x0c,
  subK: 0x14,
  subX: 0x1c,
  mulK: 0x24,
  mulX: 0x2c,
  divK: 0x34,
  divX: 0x3c,
  orK: 0x44,
  orX: 0x4c,
  andK: 0x54,
  andX: 0x5c,
  lshK: 0x64,
  lshX: 0x6c,
  rshK: 0x74,
  rshX: 0x7c,
  neg: 0x84,
  modK: 0x94,
  modX: 0x9c,
  xorK: 0xa4,
  xorX: 0xac,
  ja: 0x05,
  jeqK: 0x15,
  jeqX: 0x1d,
  jgtK: 0x25,
  jgtX: 0x2d,
  jgeK: 0x35,
  jgeX: 0x3d,
  jsetK: 0x45,
  jsetX: 0x4d,
  retK: 0x06,
  retA: 0x16,
  tax: 0x07,
  txa: 0x87,
} as const;

/** BPF_MEMWORDS. */
export const bpfMemoryWords = 16;
/** BPF_MAXINSNS. */
export const bpfMaxInstructions = 4096;
