import { createHmac, timingSafeEqual } from 'node:crypto';

export type Need = 'Send' | 'Listen' | 'Manage';

export interface PresentedToken {
  readonly kind: 'sas' | 'jwt';
  readonly text: string;
  /** What the token was presented for, e.g. `sb://127.0.0.1:5672/orders`. */
  readonly audience: string;
  /** The path of the entity; empty for the namespace. */
  readonly entity: string;
  readonly need: Need;
}

/** `expiresAt` in ms since 1970. */
export type Verdict = { readonly expiresAt: number } | { readonly refused: string };
export type VerifyToken = (token: PresentedToken) => Promise<Verdict>;

export interface SasKey {
  readonly keyName: string;
  readonly key: string;
}

/**
 * Checks shared access signatures against named keys. Such a key grants everything below the resource that its
 * signature names.
 */
export function sasVerifier(keys: readonly SasKey[], clock: () => number): VerifyToken {
  return ({ text, audience, entity }) => Promise.resolve(judge(keys, clock(), text, audience, entity));
}

function judge(
  keys: readonly SasKey[],
  now: number,
  text: string,
  audience: string,
  entity: string,
): Verdict {
  const parts = new Map(
    text
      .replace(/^SharedAccessSignature\s+/i, '')
      .split('&')
      .map((part) => {
        const cut = part.indexOf('=');
        return [part.slice(0, cut), part.slice(cut + 1)] as const;
      }),
  );
  const [resource, signature, expiry, keyName] = ['sr', 'sig', 'se', 'skn'].map((name) => parts.get(name));
  if (resource === undefined || signature === undefined || expiry === undefined || keyName === undefined)
    return { refused: 'The token is not a shared access signature' };
  const expected = keys
    .filter((key) => key.keyName === decoded(keyName))
    .map(({ key }) => createHmac('sha256', key).update(`${resource}\n${expiry}`).digest());
  const given = Buffer.from(decoded(signature), 'base64');
  // Two keys may share a name while one of them is being replaced.
  if (!expected.some((each) => each.length === given.length && timingSafeEqual(each, given)))
    return { refused: 'The signature of the token is not valid' };
  const expiresAt = Number(expiry) * 1000;
  if (!(expiresAt > now)) return { refused: 'The token has expired' };
  if (!covers(decoded(resource), audience, entity))
    return { refused: 'The token was issued for another resource' };
  return { expiresAt };
}

function covers(resource: string, audience: string, entity: string): boolean {
  const [host, path] = split(resource);
  const wanted = split(audience)[0];
  return (host === wanted || wanted === '') && (path === '' || isWithin(entity.toLowerCase(), path));
}

export function isWithin(path: string, parent: string): boolean {
  return parent === '' || path === parent || path.startsWith(`${parent}/`);
}

function split(uri: string): [host: string, path: string] {
  const [host = '', ...path] = uri
    .toLowerCase()
    .replace(/^[a-z]+:\/\//, '')
    .replace(/\?.*$/, '') // the administration client signs the URL with its api-version
    .split('/');
  return [
    host,
    path
      .join('/')
      // Whoever may listen to an entity may settle and read its dead letters.
      .replace(/(\/\$deadletterqueue)?(\/?\$management)?$/, '')
      .replace(/\/+$/, ''),
  ];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Puts the configured ways to authorise in their order. */
export function verifierOf(o: {
  verifyToken: VerifyToken | undefined;
  sas: readonly SasKey[] | undefined;
  allowAnySas: boolean;
  clock: () => number;
}): VerifyToken {
  const bySas = o.sas && sasVerifier(o.sas, o.clock);
  return async (token) => {
    if (token.kind === 'sas' && o.allowAnySas) return { expiresAt: Infinity };
    const reasons: string[] = [];
    for (const verify of token.kind === 'sas' ? [bySas, o.verifyToken] : [o.verifyToken]) {
      const verdict = await verify?.(token);
      if (verdict === undefined) continue;
      if ('expiresAt' in verdict) return verdict;
      reasons.push(verdict.refused);
    }
    return { refused: reasons[0] ?? `Tokens of kind '${token.kind}' are not accepted here` };
  };
}
