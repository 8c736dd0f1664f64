// What Sockeye set out to reach: server CPU (idle: memory) at most as a share of Node's and of C's,
// in its better form of those named, and ahead of whom.
const ALL = ['bun', 'deno', 'go', 'python', 'python-threads'];
const RUNTIMES = ['bun', 'deno', 'go'];
const PROMISES = ['sockeye', 'sockeye-into'];
const ANY = [...PROMISES, 'sockeye-serve', 'sockeye-framed', 'sockeye-framed-batches'];

const GOALS = [
  { workload: 'tcp-ping-pong', forms: ANY, node: 0.8, c: 1.2, ahead: ['bun', 'deno'] },
  { workload: 'tcp-echo-64x64', forms: PROMISES, node: 0.55, c: 1.4, ahead: RUNTIMES },
  { workload: 'tcp-echo-64x64', forms: ['sockeye-serve'], node: 0.45, c: 1.15, ahead: RUNTIMES },
  { workload: 'tcp-echo-64x512', forms: PROMISES, node: 0.55, c: 1.4, ahead: RUNTIMES },
  { workload: 'tcp-echo-64x512', forms: ['sockeye-serve'], node: 0.45, c: 1.15, ahead: RUNTIMES },
  { workload: 'tcp-echo-16kx64', forms: ANY, node: 0.4, c: 1.3, ahead: ALL },
  { workload: 'tcp-framed', forms: ANY, node: 0.12, ahead: ALL },
  { workload: 'tcp-cycle', forms: ['sockeye-serve'], node: 0.35, c: 1.4, ahead: ALL },
  { workload: 'bulk-receive', forms: ANY, node: 0.6, c: 1.2, ahead: ['bun'] },
  { workload: 'bulk-send', forms: ANY, node: 0.95, c: 1.2, ahead: ['bun'] },
  { workload: 'udp-echo', forms: ANY, node: 0.3, c: 1.3, ahead: ALL },
  { workload: 'udp-receive', forms: ANY, node: 0.25, c: 1.2, ahead: ALL },
  { workload: 'udp-receive-gro', forms: ANY, node: 0.05, c: 1.2, ahead: ALL },
  { workload: 'udp-send', forms: ANY, node: 0.2, c: 1.2, ahead: ALL },
  { workload: 'file-send', forms: ANY, node: 0.2, c: 1.2, ahead: ALL },
  { workload: 'file-receive', forms: ANY, node: 0.35, c: 1.2, ahead: ALL },
  { workload: 'idle', forms: PROMISES, node: 0.5, ahead: ['node', 'deno', 'go'] },
  { workload: 'idle', forms: ['sockeye-serve'], node: 0.3, ahead: ['node', 'deno', 'go'] },
];

function costOf({ cpuUs, bytesPerConnection }) {
  return cpuUs ?? bytesPerConnection;
}

function cheapest(figures) {
  return figures.toSorted((a, b) => costOf(a) - costOf(b))[0];
}

function judge(goal, { title, figures }) {
  const best = cheapest(figures.filter(({ peer }) => goal.forms.includes(peer)));
  if (best === undefined) return { goal, title };
  const notAheadOf = figures
    .filter(({ peer }) => goal.ahead.includes(peer))
    .filter((figure) => costOf(figure) <= costOf(best))
    .map(({ label }) => label);
  const reached =
    best.toNode <= goal.node &&
    (goal.c === undefined || best.toC <= goal.c) &&
    notAheadOf.length === 0;
  return { goal, title, best, notAheadOf, reached };
}

/** Each goal whose workload was measured, with the best form's figures, and whether it is reached. */
export function judgeGoals(results) {
  return GOALS.flatMap((goal) => {
    const workload = results.workloads.find(({ name }) => name === goal.workload);
    return workload === undefined ? [] : [judge(goal, workload)];
  });
}
