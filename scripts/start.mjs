// npm start: builds what has changed, then serves an echo with a greeting over TCP and UDP and says
// how to talk to it.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const TCP = '127.0.0.1:8090';
const UDP = '127.0.0.1:8091';

// Set by the test, which runs on what is built and must not build under the other tests.
if (process.env.SOCKEYE_SKIP_BUILD === undefined) build();

const { main } = await import('../packages/cli/dist/main.js');
process.exit(
  await main(
    [
      'serve',
      `tcp://${TCP}`,
      `udp://${UDP}`,
      '--greeting=Hello from Sockeye! Whatever you send comes back.',
      // A person thinks longer than a program does.
      '--first-byte-timeout=none',
      '--idle-timeout=1h',
    ],
    { onListening: () => process.stderr.write(instructions()) },
  ),
);

function build() {
  const script = fileURLToPath(new URL('build.mjs', import.meta.url));
  const { status } = spawnSync(process.execPath, [script], { stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(1);
}

function instructions() {
  const [host, port] = TCP.split(':');
  const [udpHost, udpPort] = UDP.split(':');
  return `
Talk to it from another terminal:

  npx sockeye connect ${TCP}
  npx sockeye connect udp://${UDP}

  python3 -c "import socket; s = socket.create_connection(('${host}', ${port})); print(s.recv(1024).decode()); s.sendall('你好'.encode()); print(s.recv(1024).decode())"
  python3 -c "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto('你好'.encode(), ('${udpHost}', ${udpPort})); print(s.recv(1024).decode())"

  nc ${host} ${port}
  nc -u ${udpHost} ${udpPort}

Ctrl-C ends it.
`;
}
