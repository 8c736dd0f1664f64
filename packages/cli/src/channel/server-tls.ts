import { createSecureContext, type TlsOptions } from 'node:tls';
import type { TlsSettings } from './tls-flags.ts';
import { CommandError, usageError } from '../command-error.ts';

/**
 * The flags of TLS as a server needs them.
 *
 * @throws CommandError without a certificate, or with one that is none
 */
export function serverTls(flags: TlsSettings): TlsOptions {
  const { insecure, ignoreUnexpectedEof: _, ...settings } = flags;
  requireCertificate(settings);
  try {
    createSecureContext(settings);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(`cannot use --cert and --key: ${reason}`, 1, { cause: error });
  }
  // Who names a --ca wants clients that it vouches for.
  const requestCert = settings.ca !== undefined;
  return { ...settings, requestCert, rejectUnauthorized: requestCert && !insecure };
}

/** @throws CommandError for a tls:// server without one */
export function requireCertificate({ cert }: { readonly cert?: unknown }): void {
  if (cert !== undefined) return;
  throw usageError(
    'a tls:// server needs --cert and --key; to try it: openssl req -x509 -newkey rsa:2048 ' +
      '-nodes -keyout key.pem -out cert.pem -subj /CN=localhost',
  );
}
