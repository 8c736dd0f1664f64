import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const PATIENCE_MS = 20_000;

/** A role that a peer does not have here; the harness goes on without it. */
export class RoleUnavailable extends Error {}

function childrenOf(pid, thread) {
  try {
    return readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8');
  } catch (error) {
    // A server with a thread for each connection ends threads while this looks.
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return '';
    throw error;
  }
}

function familyOf(pid) {
  const children = readdirSync(`/proc/${pid}/task`)
    .map((thread) => childrenOf(pid, thread))
    .flatMap((text) => text.split(' ').filter(Boolean));
  return [pid, ...children.flatMap(familyOf)];
}

function readKilobytes(path, name) {
  return (
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(path, 'utf8'))[1]) * 1024
  );
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}

function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${what}: no answer in ${PATIENCE_MS} ms`)),
      PATIENCE_MS,
    );
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** A peer's process: argv says its role, it prints `ready PORT`, its stdin's end ends it. */
export class ServerProcess {
  #child;
  #lines;
  #errors = '';
  #ended;
  port = 0;

  /** Starts the command and waits until it listens. */
  static async start(command) {
    const server = new ServerProcess(command);
    try {
      await server.#becomeReady();
    } catch (error) {
      await server.end();
      throw error;
    }
    return server;
  }

  constructor([file, ...args]) {
    this.#child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stderr.on('data', (chunk) => {
      this.#errors = (this.#errors + chunk).slice(-2000);
    });
    this.#child.stdin.on('error', () => {});
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#errors += error.message;
        resolve();
      });
      this.#child.once('close', resolve);
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  get pid() {
    return this.#child.pid;
  }

  /** The process and all that descend from it (proc_pid_children(5)). */
  get pids() {
    return familyOf(this.pid);
  }

  /** Resident memory of all processes in bytes, from the page tables (proc_pid_smaps(5)). */
  residentBytes() {
    return sum(this.pids.map((pid) => readKilobytes(`/proc/${pid}/smaps_rollup`, 'Rss')));
  }

  /** The most that has been resident, in bytes; of several processes the sum (proc_pid_status(5)). */
  peakBytes() {
    return sum(this.pids.map((pid) => readKilobytes(`/proc/${pid}/status`, 'VmHWM')));
  }

  /** Has the peer collect its garbage; settles once it has. */
  async collect() {
    this.#child.stdin.write('gc\n');
    const line = await within(this.#nextLine(), 'gc');
    if (line !== 'collected') throw new Error(`gc: the peer said ${line}`);
  }

  /** The line of the peer's stderr that names an error, or its first; empty where it wrote none. */
  get complaint() {
    const lines = this.#errors.trim().split('\n');
    return lines.find((line) => /^\w*Error\b/.test(line)) ?? lines[0];
  }

  async end() {
    this.#child.stdin.end();
    const killer = setTimeout(() => this.#child.kill('SIGKILL'), 2000);
    await this.#ended;
    clearTimeout(killer);
  }

  async #nextLine() {
    const { value, done } = await this.#lines.next();
    if (done) {
      await this.#ended;
      throw new Error(`the peer ended: ${this.complaint || 'no message'}`);
    }
    return value;
  }

  async #becomeReady() {
    const line = await within(this.#nextLine(), 'ready');
    const [word, ...rest] = line.split(' ');
    if (word === 'unavailable') throw new RoleUnavailable(rest.join(' '));
    if (word !== 'ready') throw new Error(`the peer said ${line}`);
    this.port = Number(rest[0]);
  }
}
