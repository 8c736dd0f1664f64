// The generated parts of docs/benchmarks.md, by name: tables and charts from the result file.
import { tableRows } from '../lib/table-rows.mjs';
import { GROUPS } from '../lib/workloads.mjs';
import { judgeGoals } from './goals.mjs';
import { growing, named } from './result-groups.mjs';
import { peersOf } from './style.mjs';

const MIB = 1 << 20;
const ENOUGH_ROUNDS = 5;
const COUNT = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

function markdownTable(rows, alignment = '---:') {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const rule = rows[0].map((_, column) => (column === 0 ? '---' : alignment));
  return [line(rows[0]), line(rule), ...rows.slice(1).map(line)].join('\n');
}

/** The chart in the reader's colours. */
function picture(name, alternative) {
  return [
    '<picture>',
    `  <source media="(prefers-color-scheme: dark)" srcset="benchmarks/${name}-dark.svg">`,
    `  <img alt="${alternative}" src="benchmarks/${name}-light.svg">`,
    '</picture>',
  ].join('\n');
}

function fixed(value) {
  return value === undefined ? '' : value.toFixed(2);
}

function range(values) {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return least === most ? `${least}` : `${least} to ${most}`;
}

function dates(workloads) {
  const days = workloads.map(({ when }) => when.slice(0, 10)).sort();
  return [...new Set([days[0], days.at(-1)])].join(' to ');
}

function ratioTable(workloads) {
  const peers = peersOf(workloads.flatMap(({ figures }) => figures));
  const body = workloads.map(({ title, figures }) => [
    title,
    ...peers.map(({ peer }) => fixed(figures.find((figure) => figure.peer === peer)?.toNode)),
  ]);
  return markdownTable([['of Node', ...peers.map(({ label }) => label)], ...body]);
}

function growthTable(workloads, head, cell) {
  const peers = peersOf(workloads.flatMap(({ figures }) => figures));
  const body = peers.map(({ peer, label }) => [
    label,
    ...workloads.map(({ figures }) => {
      const figure = figures.find((one) => one.peer === peer);
      return figure === undefined ? '' : cell(figure);
    }),
  ]);
  return markdownTable([[head, ...workloads.map(({ step }) => stepName(step, head))], ...body]);
}

function stepName(step, head) {
  if (!head.startsWith('size')) return COUNT.format(step);
  if (step >= MIB) return `${step / MIB} MiB`;
  return step >= 1024 ? `${step / 1024} KiB` : `${step} B`;
}

/** `node v20.1.0` for what names itself by its number alone; no build's particulars. */
function shortVersion(version) {
  const name = version.startsWith('v') ? `Node ${version}` : version;
  return name.replace(/ \((?:stable|Debian)[^)]*\)/, '').replace('go version ', '');
}

function machine({ machine: it, versions, workloads }) {
  const rounds = workloads.map(({ how }) => how.rounds);
  const seconds = workloads.flatMap(({ how }) => how.seconds ?? []);
  const sources = [...new Set(workloads.map(({ source }) => source ?? 'unknown'))];
  const rows = [
    ['machine', `${it.cpu}, ${it.cpus} CPUs, ${Math.round(it.memoryBytes / 2 ** 30)} GiB`],
    ['kernel', `${it.kernel}, ${it.architecture}, TCP ${it.congestionControl}`],
    ['measured', `${dates(workloads)}, ${range(rounds)} rounds of ${range(seconds)} s`],
    ['sources at', sources.join(', ')],
    ['versions', [...new Set(Object.values(versions))].map(shortVersion).join(', ')],
  ];
  const note =
    Math.min(...rounds) < ENOUGH_ROUNDS
      ? `\n\n**Provisional: fewer than ${ENOUGH_ROUNDS} rounds.**`
      : '';
  return `${markdownTable([['', ''], ...rows], '---')}${note}`;
}

function verdict({ best, reached, notAheadOf }) {
  if (best === undefined) return 'not measured';
  if (reached) return 'reached';
  return notAheadOf.length === 0 ? 'no' : `no; not ahead of ${notAheadOf.join(', ')}`;
}

function goalRow(one) {
  const { goal, title, best } = one;
  const limited = (value, limit) => (limit === undefined ? '' : `${fixed(value)} (${limit})`);
  return [
    title,
    best?.label ?? goal.forms.join(', '),
    limited(best?.toNode, goal.node),
    limited(best?.toC, goal.c),
    verdict(one),
  ];
}

function goals(results) {
  const rows = judgeGoals(results).map(goalRow);
  return markdownTable(
    [['', 'form', 'of Node (at most)', 'of C (at most)', 'goal'], ...rows],
    '---',
  );
}

function ratios(results) {
  const workloads = named(results).filter(({ name }) => name !== 'idle');
  const alternative =
    'Dot chart: server CPU of each peer as a share of Node’s, a row for each workload; the table below has the figures';
  return `${picture('ratio', alternative)}\n\n${ratioTable(workloads)}`;
}

function idle({ workloads }) {
  const { figures } = workloads.find(({ name }) => name === 'idle');
  const alternative =
    'Bar chart: resident bytes for each idle connection, a bar for each peer; the table below has the figures';
  return `${picture('idle', alternative)}\n\n${markdownTable(tableRows(figures))}`;
}

function connections(results) {
  const workloads = growing(results, 'connections');
  return [
    picture(
      'connections',
      'Line chart: server CPU a message by number of connections, 1 to 10,000',
    ),
    growthTable(workloads, 'CPU µs at', ({ cpuUs }) => fixed(cpuUs)),
    picture('connections-p99', 'Line chart: 99th percentile of latency by number of connections'),
    growthTable(workloads, 'p99 µs at', ({ p99Us }) => COUNT.format(p99Us)),
    picture('connections-memory', 'Line chart: peak resident memory by number of connections'),
    growthTable(workloads, 'peak MiB at', ({ peakBytes }) => (peakBytes / MIB).toFixed(1)),
  ].join('\n\n');
}

function sizes(results) {
  const workloads = growing(results, 'sizes');
  return [
    picture('sizes', 'Line chart: server CPU a message by message size, 16 B to 1 MiB'),
    growthTable(workloads, 'size; CPU µs', ({ cpuUs }) => fixed(cpuUs)),
  ].join('\n\n');
}

function processes(results) {
  const workloads = growing(results, 'processes');
  return [
    picture('processes', 'Line chart: server CPU a message by number of processes or threads'),
    growthTable(workloads, 'CPU µs with', ({ cpuUs }) => fixed(cpuUs)),
    picture('processes-rate', 'Line chart: messages a second by number of processes or threads'),
    growthTable(workloads, 'a second with', ({ rate }) => COUNT.format(rate)),
  ].join('\n\n');
}

function section({ title, per, name, failures, figures }) {
  const failed = failures.length === 0 ? '' : `\n\nFailed: ${failures.join(', ')}.`;
  return `### ${title}\n\n\`${name}\`, per ${per}\n\n${markdownTable(tableRows(figures))}${failed}`;
}

function eachWorkload(results) {
  return named(results).map(section).join('\n\n');
}

const ASKED_OF = {
  idle: ['idle'],
  ratios: GROUPS.named,
  workloads: GROUPS.named,
  goals: GROUPS.named,
};

/** A part that says so where the file has none of its workloads yet. */
function unlessEmpty([name, part]) {
  const asked = ASKED_OF[name] ?? GROUPS[name] ?? [];
  const isEmpty = ({ workloads: all }) =>
    asked.length > 0 && !all.some((one) => asked.includes(one.name));
  return [name, (results) => (isEmpty(results) ? 'Not measured yet.' : part(results))];
}

const PARTS = {
  machine,
  goals,
  ratios,
  idle,
  connections,
  sizes,
  processes,
  workloads: eachWorkload,
};

/** From a result file's content to the Markdown of each part. */
export const pageParts = Object.fromEntries(Object.entries(PARTS).map(unlessEmpty));
