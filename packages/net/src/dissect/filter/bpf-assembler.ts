import { bpf, type BpfInstruction } from './bpf-program.ts';

/** A place in the program that jumps may name before it is known. */
export class Label {
  at = -1;
}

interface Plain {
  readonly code: number;
  readonly k: number;
}

interface Branch extends Plain {
  readonly onTrue: Label;
  readonly onFalse: Label;
}

const furthestJump = 255;

/**
 * Collects instructions with labels and places them. A conditional jump reaches 255 instructions;
 * one that needs more jumps to unconditional jumps behind it, which reach everywhere.
 */
export class BpfAssembler {
  readonly #lines: (Plain | Branch | Label)[] = [];

  emit(code: number, k = 0): this {
    this.#lines.push({ code, k: k >>> 0 });
    return this;
  }

  branch(code: number, k: number, onTrue: Label, onFalse: Label): this {
    this.#lines.push({ code, k: k >>> 0, onTrue, onFalse });
    return this;
  }

  jump(target: Label): this {
    return this.branch(bpf.ja, 0, target, target);
  }

  place(label: Label): this {
    this.#lines.push(label);
    return this;
  }

  /** The finished program. */
  assemble(): BpfInstruction[] {
    const long = new Set<Branch>();
    // Each round can only make more branches long, so there are at most as many rounds as branches.
    for (;;) {
      this.#layOut(long);
      const before = long.size;
      this.#findLong(long);
      if (long.size === before) return this.#write(long);
    }
  }

  #layOut(long: ReadonlySet<Branch>): void {
    let at = 0;
    for (const line of this.#lines) {
      if (line instanceof Label) line.at = at;
      else at += isBranch(line) && long.has(line) ? 3 : 1;
    }
  }

  #findLong(long: Set<Branch>): void {
    let at = 0;
    for (const line of this.#lines) {
      if (line instanceof Label) continue;
      if (isBranch(line) && line.code !== bpf.ja) {
        const reach = Math.max(line.onTrue.at, line.onFalse.at) - at - 1;
        if (reach > furthestJump) long.add(line);
        at += long.has(line) ? 3 : 1;
      } else at++;
    }
  }

  #write(long: ReadonlySet<Branch>): BpfInstruction[] {
    const program: BpfInstruction[] = [];
    const jump = (label: Label): void => {
      program.push({ code: bpf.ja, jt: 0, jf: 0, k: label.at - program.length - 1 });
    };
    for (const line of this.#lines) {
      if (line instanceof Label) continue;
      if (!isBranch(line)) program.push({ code: line.code, jt: 0, jf: 0, k: line.k });
      else if (line.code === bpf.ja) jump(line.onTrue);
      else if (long.has(line)) {
        program.push({ code: line.code, jt: 0, jf: 1, k: line.k });
        jump(line.onTrue);
        jump(line.onFalse);
      } else {
        const next = program.length + 1;
        const [jt, jf] = [line.onTrue.at - next, line.onFalse.at - next];
        program.push({ code: line.code, jt, jf, k: line.k });
      }
    }
    return program;
  }
}

function isBranch(line: Plain | Branch): line is Branch {
  return 'onTrue' in line;
}
