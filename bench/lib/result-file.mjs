// The figures of a release: one JSON file, collected in as many runs as it takes. Every run must have
// met the same machine and the same peers; a workload measured again replaces its older figures whole,
// since ratios count only within one run.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { everything } from './workloads.mjs';

function rank({ name }) {
  const at = everything.indexOf(name);
  return at < 0 ? everything.length : at;
}

function differences(old, now) {
  return Object.keys({ ...old, ...now })
    .filter((key) => !isDeepStrictEqual(old[key], now[key]))
    .map((key) => `${key} was ${old[key]}, is ${now[key]}`);
}

/** Throws where a file's figures were made on another machine or with other versions. */
export function checkSame(file, old, { machine, versions }) {
  const shared = Object.fromEntries(
    Object.entries(old.versions).filter(([peer]) => versions[peer] !== undefined),
  );
  const common = Object.fromEntries(Object.keys(shared).map((peer) => [peer, versions[peer]]));
  const found = [...differences(old.machine, machine), ...differences(shared, common)];
  if (found.length === 0) return;
  throw new Error(
    `${file} has figures of other circumstances (${found.join('; ')}); name another file`,
  );
}

/** The content with one workload more, or with its figures replaced. */
export function withWorkload(content, workload) {
  const others = content.workloads.filter(({ name }) => name !== workload.name);
  return { ...content, workloads: [...others, workload].sort((a, b) => rank(a) - rank(b)) };
}

/** A round's record on one line: the file is read by people, too. */
function format(content) {
  const text = JSON.stringify(content, null, 1);
  return `${text.replace(/\{\s+"(?:cpuUs|bytesPerConnection)"[^{}[\]]*\}/g, (record) => record.replaceAll(/\s+/g, ' '))}\n`;
}

/** A result file as it is, or undefined. */
export function readResults(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

/** A result file to add workloads to, each written at once: a run that is ended keeps what it has. */
export class ResultFile {
  #file;
  #content;

  /** `circumstances` is `{ machine, versions }`; throws where the file's are others. */
  constructor(file, circumstances) {
    this.#file = resolve(file);
    const old = readResults(file);
    if (old !== undefined) checkSame(file, old, circumstances);
    const versions = { ...old?.versions, ...circumstances.versions };
    this.#content = { machine: circumstances.machine, versions, workloads: old?.workloads ?? [] };
  }

  add(workload) {
    this.#content = withWorkload(this.#content, workload);
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(`${this.#file}.part`, format(this.#content));
    renameSync(`${this.#file}.part`, this.#file);
  }
}
