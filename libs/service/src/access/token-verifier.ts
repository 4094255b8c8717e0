// Verifies Entra access tokens. Keys and issuer come from the tenant's discovery document, once.
import { TransientFault } from '@twinkey/contracts';
import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';

export interface Tenant {
  /** AZURE_AUTHORITY_HOST. */
  readonly authority: string;
  readonly tenantId: string;
  /** What tokens for this API are made out to; the first is what clients ask for. */
  readonly audiences: readonly string[];
}

export type Verified =
  | { readonly claims: JWTPayload }
  /** Completes "The token …". Never holds a part of it. */
  | { readonly refused: string };

export type VerifyToken = (token: string) => Promise<Verified>;

/** How far the clocks of Entra and this machine may be apart. */
const SKEW_SECONDS = 60;
const ANSWER_WITHIN_MS = 5_000;

const Discovery = z.object({ issuer: z.string(), jwks_uri: z.url() });

interface Issuers {
  readonly names: readonly string[];
  readonly keys: JWTVerifyGetKey;
}

/**
 * Promises a verdict on a token; rejects with a TransientFault while Entra cannot be asked for its keys. Signing keys
 * are kept and asked for again when a token names one that is not among them.
 */
export function tokenVerifier({ authority, tenantId, audiences }: Tenant): VerifyToken {
  let known: Promise<Issuers> | undefined;
  const issuers = (): Promise<Issuers> => {
    known ??= discover(authority, tenantId).catch((error: unknown) => {
      known = undefined;
      throw unreachable(authority, error);
    });
    return known;
  };
  return async (token) => {
    const { names, keys } = await issuers();
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer: [...names],
        audience: audiences.flatMap((audience) => [audience, `${audience}/`]),
        algorithms: ['RS256'],
        clockTolerance: SKEW_SECONDS,
        requiredClaims: ['exp', 'oid'],
      });
      return { claims: payload };
    } catch (error) {
      if (error instanceof errors.JWKSTimeout) throw unreachable(authority, error);
      const reason = reasonOf(error);
      if (reason === undefined) throw unreachable(authority, error);
      return { refused: reason };
    }
  };
}

async function discover(authority: string, tenantId: string): Promise<Issuers> {
  const url = `${authority.replace(/\/+$/, '')}/${tenantId}/v2.0/.well-known/openid-configuration`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  const { issuer, jwks_uri } = Discovery.parse(await answer.json());
  return {
    // An API whose registration asks for tokens of version 1 (Entra's default) gets those of the older issuer.
    names: [issuer, `https://sts.windows.net/${tenantId}/`],
    keys: createRemoteJWKSet(new URL(jwks_uri), { timeoutDuration: ANSWER_WITHIN_MS }),
  };
}

/** `undefined` when the token is not to blame. */
function reasonOf(error: unknown): string | undefined {
  if (error instanceof errors.JWTExpired) return 'is over';
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'aud') return 'is made out to another audience';
    if (error.claim === 'iss') return 'is from another tenant or authority';
    if (error.claim === 'nbf') return 'is not valid yet';
    return `lacks a valid claim ${error.claim}`;
  }
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWSSignatureVerificationFailed)
    return 'is not signed by the tenant';
  if (error instanceof errors.JOSEAlgNotAllowed) return 'is signed in a way that Entra does not use';
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) return 'is no JSON Web Token';
  return undefined;
}

function unreachable(authority: string, error: unknown): TransientFault {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const said = cause instanceof Error ? cause.message : String(cause);
  return new TransientFault(
    'entra-unreachable',
    `The signing keys of ${new URL(authority).origin} cannot be read: ${said}.`,
    { cause: error },
  );
}
