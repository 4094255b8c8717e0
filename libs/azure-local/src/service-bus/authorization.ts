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

/** A shared access key: of the namespace, or of one entity and what is below it. */
export interface SasKey {
  readonly keyName: string;
  readonly key: string;
  /** What it allows; everything if absent. Whoever may manage may also send and listen. */
  readonly rights?: readonly Need[] | undefined;
  /** The path of the entity that it belongs to; the whole namespace if absent. */
  readonly entity?: string | undefined;
}

/**
 * Checks shared access signatures against named keys. A signature grants what its key allows, below the resource
 * that it names. `entityKeys` are those of an entity's own authorization rules.
 */
export function sasVerifier(
  keys: readonly SasKey[],
  clock: () => number,
  entityKeys: (entity: string) => readonly SasKey[] = () => [],
): VerifyToken {
  return (token) => {
    const all = token.entity === '' ? keys : [...keys, ...entityKeys(token.entity)];
    return Promise.resolve(judge(all, clock(), token));
  };
}

function judge(
  keys: readonly SasKey[],
  now: number,
  { text, audience, entity, need }: PresentedToken,
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
  const given = Buffer.from(decoded(signature), 'base64');
  // Two keys may share a name: while one of them is being replaced, or on different entities.
  const signers = keys.filter(
    (key) => key.keyName === decoded(keyName) && isSignedBy(key.key, `${resource}\n${expiry}`, given),
  );
  if (signers.length === 0) return { refused: 'The signature of the token is not valid' };
  const expiresAt = Number(expiry) * 1000;
  if (!(expiresAt > now)) return { refused: 'The token has expired' };
  if (!covers(decoded(resource), audience, entity))
    return { refused: 'The token was issued for another resource' };
  if (!signers.some((key) => allows(key, entity, need)))
    return { refused: `The key '${decoded(keyName)}' does not give the right '${need}' on '${entity}'` };
  return { expiresAt };
}

function isSignedBy(key: string, signed: string, given: Buffer): boolean {
  const expected = createHmac('sha256', key).update(signed).digest();
  return expected.length === given.length && timingSafeEqual(expected, given);
}

function allows({ rights, entity: scope = '' }: SasKey, entity: string, need: Need): boolean {
  if (!isWithin(entity.toLowerCase(), scope.toLowerCase())) return false;
  return rights === undefined || rights.includes(need) || rights.includes('Manage');
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
    // The port is a matter of how the client got here, not of what its key is for.
    host.replace(/:\d+$/, ''),
    path
      .join('/')
      // Whoever may listen to an entity may settle and read its dead letters.
      .replace(/(\/\$transfer)?(\/\$deadletterqueue)?(\/?\$management)?$/, '')
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
  /** The keys of an entity's own authorization rules. */
  entityKeys?: (entity: string) => readonly SasKey[];
}): VerifyToken {
  const bySas =
    o.sas === undefined && o.entityKeys === undefined
      ? undefined
      : sasVerifier(o.sas ?? [], o.clock, o.entityKeys);
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
