function count(results) {
  const totals = { passed: 0, failed: 0, error: 0, timeout: 0, skipped: 0 };
  for (const { status } of results) totals[status]++;
  return Object.entries(totals)
    .map(([status, number]) => `${number} ${status}`)
    .join(', ');
}

function grouped(results, reason) {
  const groups = new Map();
  for (const result of results) groups.set(reason(result), (groups.get(reason(result)) ?? 0) + 1);
  return [...groups].sort(([, a], [, b]) => b - a);
}

const firstLine = (text) => text.split('\n')[0];
const lastLine = (text) => text.trim().split('\n').at(-1);
const shortName = (id) => id.split('.').slice(-2).join('.');

/** Prints the summary; true if something is not as it should be. */
export function report({ ids, bridge, real, expected, options }) {
  const results = ids.map((id) => bridge.get(id));
  const notPassed = results.filter(({ status }) => status !== 'passed');
  const counts = notPassed.filter(({ id }) => real.get(id).status === 'passed');
  const foreign = notPassed.filter(({ id }) => real.get(id).status !== 'passed');
  const explained = counts.filter(({ id }) => shortName(id) in expected);
  const wrong = counts.filter(({ id }) => !(shortName(id) in expected));
  const stale = results.filter(
    ({ id, status }) => status === 'passed' && shortName(id) in expected,
  );
  console.log(`${options.module}: ${ids.length} tests over the bridge: ${count(results)}`);
  console.log(`not passing with the real socket module here either: ${foreign.length}`);
  for (const [reason, number] of grouped(foreign, ({ id }) => {
    const { status, detail } = real.get(id);
    return `${status}: ${firstLine(detail)}`;
  })) {
    console.log(`  ${number} × ${reason}`);
  }
  console.log(`expected differences: ${explained.length}`);
  for (const { id } of explained) console.log(`  ${shortName(id)}: ${expected[shortName(id)]}`);
  console.log(`unexpected: ${wrong.length}`);
  for (const { id, status, detail } of wrong) {
    console.log(`  ${status} ${id}: ${lastLine(detail)}`);
    if (options.verbose) console.log(detail.replace(/^/gm, '    '));
  }
  for (const { id } of stale) {
    console.log(`  ${shortName(id)} passes: take it off expected-differences.json`);
  }
  const gone = options.whole
    ? Object.keys(expected).filter((name) => !ids.some((id) => shortName(id) === name))
    : [];
  for (const name of gone)
    console.log(`  ${name} is no test: take it off expected-differences.json`);
  return wrong.length + stale.length + gone.length > 0;
}
