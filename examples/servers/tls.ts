// An echo over TLS. A certificate of one's own:
//   openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
//     -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem
// Run: node examples/dist/servers/tls.js cert.pem key.pem [PORT]
// Talk to it: openssl s_client -connect localhost:PORT -CAfile cert.pem
import { readFileSync } from 'node:fs';
import { serve } from '@sockeye/net/server';

const [certFile = 'cert.pem', keyFile = 'key.pem', wanted = '0'] = process.argv.slice(2);
const server = await serve(
  { host: '127.0.0.1', port: Number(wanted) },
  async (connection) => {
    for await (const chunk of connection) await connection.sendall(chunk);
  },
  { tls: { cert: readFileSync(certFile), key: readFileSync(keyFile), minVersion: 'TLSv1.3' } },
);
const { port } = server.address as { port: number };
console.log(`listening on 127.0.0.1:${port}`);
process.once('SIGTERM', () => void server.drain());
