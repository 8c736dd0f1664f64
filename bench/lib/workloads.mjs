// The work that is measured. `role` is the program that a peer runs as the
// server, `roleArguments` what it is told, `load` what the generator is told.
// `per` is the unit of the CPU figure: a message, a connection, or a MiB.
const MIB = 1 << 20;
/** The size of the files of the file workloads. */
export const FILE_BYTES = 256 * MIB;
const ENDLESS_BYTES = 1e12;
const UNITS = { '': 1, k: 1 << 10, m: MIB };

function echo(size, connections) {
  return {
    title: `TCP echo ${formatSize(size)} × ${connections}`,
    role: 'tcp-echo',
    per: 'message',
    load: ['tcp-echo', '--size', size, '--connections', connections],
  };
}

function formatSize(size) {
  if (size >= MIB) return `${size / MIB} MiB`;
  return size >= 1024 ? `${size / 1024} KiB` : `${size} B`;
}

const named = {
  'tcp-ping-pong': { ...echo(64, 1), title: 'TCP ping-pong 64 B' },
  'tcp-echo-64x64': echo(64, 64),
  'tcp-echo-64x512': echo(64, 512),
  'tcp-echo-16kx64': echo(16 << 10, 64),
  'tcp-framed': {
    title: 'TCP framed 64 B, 16 at once × 64',
    role: 'tcp-framed',
    per: 'message',
    load: ['tcp-echo', '--framed', '--size', 64, '--depth', 16, '--connections', 64],
  },
  'tcp-cycle': {
    title: 'TCP accept + echo + close',
    role: 'tcp-echo',
    per: 'connection',
    load: ['tcp-cycle', '--size', 64, '--connections', 64],
  },
  'bulk-receive': {
    title: 'TCP bulk receive',
    role: 'tcp-sink',
    per: 'MiB',
    load: ['tcp-push', '--size', 64 << 10, '--bytes', ENDLESS_BYTES],
  },
  'bulk-send': {
    title: 'TCP bulk send',
    role: 'tcp-source',
    per: 'MiB',
    load: ['tcp-pull', '--bytes', ENDLESS_BYTES],
  },
  'udp-echo': {
    title: 'UDP echo 64 B × 64 peers',
    role: 'udp-echo',
    per: 'message',
    load: ['udp-echo', '--size', 64, '--connections', 64],
  },
  'udp-receive': {
    title: 'UDP receive 64 B',
    role: 'udp-sink',
    per: 'message',
    load: ['udp-push', '--size', 64, '--segmented'],
  },
  'udp-receive-gro': {
    title: 'UDP receive 1,200 B (GRO where offered)',
    role: 'udp-sink',
    roleArguments: ['--gro', '--size', '1200'],
    per: 'message',
    load: ['udp-push', '--size', 1200, '--segmented'],
  },
  'udp-send': {
    title: 'UDP send 1,200 B (GSO where offered)',
    role: 'udp-source',
    per: 'message',
    load: ['udp-pull', '--size', 1200],
  },
  'udp-send-each': {
    title: 'UDP send 64 B, one by one',
    role: 'udp-source',
    roleArguments: ['--each'],
    per: 'message',
    load: ['udp-pull', '--size', 64],
  },
  'file-send': {
    title: 'File to socket',
    role: 'file-send',
    roleArguments: ['--path', '{source}'],
    per: 'MiB',
    load: ['tcp-pull', '--bytes', FILE_BYTES],
  },
  'file-receive': {
    title: 'Socket to file',
    role: 'file-receive',
    roleArguments: ['--path', '{target}'],
    per: 'MiB',
    load: ['tcp-push', '--size', 64 << 10, '--bytes', FILE_BYTES],
  },
  idle: {
    title: 'Idle TCP connections',
    role: 'tcp-echo',
    per: 'connection',
    hold: true,
    load: ['tcp-hold', '--size', 64],
  },
};

/** Names that stand for several workloads. */
export const GROUPS = {
  named: Object.keys(named),
  connections: [1, 16, 64, 256, 1024, 4096, 10000].map((count) => `tcp-echo-64x${count}`),
  sizes: ['16', '64', '256', '1k', '4k', '16k', '64k', '256k', '1m'].map(
    (size) => `tcp-echo-${size}x16`,
  ),
  processes: [1, 2, 4, 8].map((count) => `tcp-echo-64x512p${count}`),
};

function generated(name) {
  const match = /^tcp-echo-(\d+)([km]?)x(\d+)(?:p(\d+))?$/.exec(name);
  if (match === null) return undefined;
  const [, size, unit, connections, processes] = match;
  const workload = echo(size * UNITS[unit], Number(connections));
  if (processes === undefined) return workload;
  const title = `${workload.title}, processes or threads: ${processes}`;
  return { ...workload, title, spread: Number(processes) };
}

/** The order in which a result file keeps them. */
export const everything = [...new Set(Object.values(GROUPS).flat())];

/** The workloads of a comma-separated list; all named ones without a list. */
export function selectWorkloads(list = 'named') {
  const names = list
    .split(',')
    .flatMap((name) => (name === 'everything' ? everything : (GROUPS[name] ?? [name])));
  return [...new Set(names)].map((name) => {
    const workload = named[name] ?? generated(name);
    if (workload === undefined) {
      const known = [
        ...Object.keys(named),
        'tcp-echo-SIZExCONNECTIONS[pPROCESSES]',
        ...Object.keys(GROUPS),
        'everything',
      ];
      throw new Error(`Unknown workload ${name}; there are: ${known.join(' ')}`);
    }
    return { name, ...workload };
  });
}
