import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { SasKey } from '../authorization.js';
import type { Token } from './grants.js';

const ANYWHERE = 'sb://localhost/';
/** The last second of the year 9999: the password is as good as long as the connection lives. */
const NEVER_SECONDS = 253_402_300_799;

/** The name and the key that a client says in the SASL mechanism PLAIN: `authorization id, 0, name, 0, key`. */
export function readPlain(
  response: Buffer,
): { readonly user: string; readonly password: string } | undefined {
  const [, user, password, ...more] = response.toString('utf8').split('\0');
  return user === undefined || password === undefined || more.length > 0 ? undefined : { user, password };
}

/**
 * What a client gets for a name and a key: a shared access signature by that key for the whole namespace, so that
 * the key's rights are judged where those of all tokens are. Undefined when no key fits.
 */
export function tokenFor(response: Buffer, keys: readonly SasKey[], anyKey: boolean): Token | undefined {
  const plain = readPlain(response);
  if (plain === undefined) return undefined;
  const { user, password } = plain;
  const fits = keys.some(({ keyName, key }) => keyName === user && isSame(key, password));
  if (!fits && !anyKey) return undefined;
  const resource = encodeURIComponent(ANYWHERE);
  const signature = createHmac('sha256', password).update(`${resource}\n${NEVER_SECONDS}`).digest('base64');
  const text = `SharedAccessSignature sr=${resource}&sig=${encodeURIComponent(signature)}&se=${NEVER_SECONDS}&skn=${encodeURIComponent(user)}`;
  return { kind: 'sas', text, audience: ANYWHERE };
}

function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
