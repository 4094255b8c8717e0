import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from './persist.js';

export interface Certificates {
  /** PEM of the authority: what clients trust. */
  readonly ca: string;
  readonly caFile: string;
  /** PEM of the leaf followed by the authority. */
  readonly cert: string;
  readonly key: string;
}

const day = 24 * 3600 * 1000;

/**
 * The private authority and the server certificate of this data folder; made on first use and kept, so that
 * clients go on trusting a restarted emulator. Certificates live on the machine's clock, not the injected one.
 */
export async function certificates(folder: string): Promise<Certificates> {
  const caFile = join(folder, 'ca.pem');
  const [certFile, keyFile] = [join(folder, 'server.pem'), join(folder, 'server.key.pem')];
  if (![caFile, certFile, keyFile].every((file) => existsSync(file)) || endsSoon(certFile)) {
    // Loaded only when needed: it is the heaviest module of a start.
    const { issueCertificates } = await import('./issue-certificates.js');
    const made = await issueCertificates(folder);
    replaceFile(keyFile, made.key);
    replaceFile(certFile, made.cert);
    replaceFile(caFile, made.ca);
  }
  const read = (file: string) => readFileSync(file, 'utf8');
  return { ca: read(caFile), caFile, cert: read(certFile), key: read(keyFile) };
}

function endsSoon(certFile: string): boolean {
  return Date.parse(new X509Certificate(readFileSync(certFile)).validTo) < Date.now() + 30 * day;
}
