import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { TemporaryDirectory } from './temporary-directory.ts';

export interface Certificate {
  readonly key: Buffer;
  readonly cert: Buffer;
  readonly keyFile: string;
  readonly certFile: string;
}

/** Makes a certificate for a name that vouches for itself; needs openssl. */
export function selfSigned(directory: TemporaryDirectory, name: string): Certificate {
  const keyFile = directory.file(`${name}.key`);
  const certFile = directory.file(`${name}.crt`);
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
  const files = ['-keyout', keyFile, '-out', certFile, '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject, ...files], { stdio: 'ignore' });
  return { key: readFileSync(keyFile), cert: readFileSync(certFile), keyFile, certFile };
}
