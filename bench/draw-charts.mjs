// node bench/draw-charts.mjs [--check] RESULTS.json: docs/benchmarks.md and its charts from a result
// file. --check, which needs nothing installed, tells whether they are what the file gives.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { allCharts } from './charts/all-charts.mjs';
import { draw, stamp } from './charts/draw.mjs';
import { fillPage } from './charts/fill-page.mjs';
import { benchDirectory } from './lib/paths.mjs';
import { readResults } from './lib/result-file.mjs';
import { summarize } from './lib/summarize.mjs';

const USAGE = 'usage: node bench/draw-charts.mjs [--check] bench/results/VERSION.json\n';
const DOCS = join(benchDirectory, '../docs');
const PAGE = join(DOCS, 'benchmarks.md');
const CHARTS = join(DOCS, 'benchmarks');

function read(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/** Names of workloads whose medians and ratios are not those of their rounds. */
function wrongFigures({ workloads }) {
  return workloads.filter(({ figures }) => {
    const rounds = Object.fromEntries(figures.map((row) => [row.peer, row.rounds]));
    const labels = Object.fromEntries(figures.map((row) => [row.peer, row.label]));
    const again = JSON.parse(JSON.stringify(summarize(rounds, labels)));
    return !isDeepStrictEqual(again, figures);
  });
}

function differences(results) {
  const charts = allCharts(results);
  const files = charts.map(({ file }) => file);
  const present = existsSync(CHARTS) ? readdirSync(CHARTS) : [];
  return [
    ...wrongFigures(results).map(({ name }) => `figures of ${name}: not those of its rounds`),
    ...(read(PAGE) === fillPage(read(PAGE), results) ? [] : ['docs/benchmarks.md: other tables']),
    ...charts
      .filter(({ file, spec }) => !read(join(CHARTS, file)).endsWith(stamp(spec)))
      .map(({ file }) => `docs/benchmarks/${file}: drawn from other figures, or missing`),
    ...present
      .filter((file) => !files.includes(file))
      .map((file) => `docs/benchmarks/${file}: no such chart`),
  ];
}

function check(results, file) {
  const found = differences(results);
  for (const difference of found) process.stderr.write(`${difference}\n`);
  if (found.length > 0) process.stderr.write(`run node bench/draw-charts.mjs ${file}\n`);
  else process.stdout.write(`docs/benchmarks.md and its charts are what ${file} gives\n`);
  return found.length === 0 ? 0 : 1;
}

async function drawAll(results) {
  const page = fillPage(read(PAGE), results);
  const drawn = await Promise.all(
    allCharts(results).map(async ({ file, spec }) => ({ file, svg: await draw(spec) })),
  );
  rmSync(CHARTS, { recursive: true, force: true });
  mkdirSync(CHARTS);
  for (const { file, svg } of drawn) writeFileSync(join(CHARTS, file), svg);
  writeFileSync(PAGE, page);
  process.stdout.write(`docs/benchmarks.md, ${drawn.length} charts in docs/benchmarks/\n`);
  return 0;
}

function main() {
  const { values, positionals } = parseArgs({
    options: { check: { type: 'boolean', default: false }, help: { type: 'boolean' } },
    allowPositionals: true,
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const [file] = positionals;
  if (positionals.length !== 1) throw new Error(`one result file is needed\n${USAGE}`);
  const results = readResults(file);
  if (results === undefined) throw new Error(`${file} is not there`);
  return values.check ? check(results, file) : drawAll(results);
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`draw-charts: ${error.message.trim()}\n`);
  process.exitCode = 1;
}
