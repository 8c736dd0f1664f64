// What the campaigns share: a line for each figure, and a status that tells.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Prints a figure and whether it was reached; any that wasn't makes the status 1. */
export function report(text, isReached) {
  process.stdout.write(`${text}: ${isReached ? 'reached' : 'NOT reached'}\n`);
  if (!isReached) process.exitCode = 1;
}

/** Resident memory of a process in MiB, from the page tables (proc_pid_smaps(5)); `pss` shares fairly. */
export function residentMiB(pid = process.pid, field = 'Rss') {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(text)[1]) / 1024;
}

/** The same script as another process, in a role; it answers questions with one message each. */
export class Part {
  constructor(url, role, ...args) {
    this.child = fork(fileURLToPath(url), [role, ...args.map(String)], {
      execArgv: process.execArgv,
      serialization: 'advanced',
    });
    this.pid = this.child.pid;
  }

  async hear() {
    const [message] = await once(this.child, 'message');
    return message;
  }

  async ask(question) {
    const answer = this.hear();
    this.child.send(question);
    return await answer;
  }

  async end() {
    this.child.kill('SIGKILL');
    if (this.child.exitCode === null && this.child.signalCode === null)
      await once(this.child, 'exit');
  }
}
