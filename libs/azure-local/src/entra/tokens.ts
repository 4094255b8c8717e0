import { randomUUID } from 'node:crypto';
import { decodeJwt, errors, type JWTPayload } from 'jose';
import type { Clock } from '../host/plugin.js';
import type { Application, Directory, FederatedCredential } from './state.js';
import { issuerOf } from './discovery.js';
import type { Refused } from './errors.js';
import { workloadPath } from './protocol.js';
import { verifyAgainst, type SigningKeys } from './signing-key.js';

export interface Principal {
  readonly clientId: string;
  readonly objectId: string;
  readonly name: string;
}

/** Who sent a request, or why its token counts for nothing. */
export type Identified =
  | {
      readonly principal: Principal;
      readonly expiresAt: number;
      /** As the token has it, with or without a slash at its end. */
      readonly audience: string;
    }
  | { readonly refused: 'missing' | 'invalid' | 'expired' }
  | { readonly refused: 'wrong-audience'; readonly audience: string };

export interface FederatedClaims {
  readonly subject: string;
  /** `api://AzureADTokenExchange` unless said. */
  readonly audience?: string;
  readonly lifetimeSeconds?: number;
}

const exchangeAudience = 'api://AzureADTokenExchange';
/** One signature check costs about 60 µs and every request brings the same few tokens. */
const rememberedTokens = 2_000;

/** Issues the tenant's access tokens and judges those that come back. */
export class Tokens {
  readonly #verified = new Map<string, JWTPayload>();

  constructor(
    private readonly directory: Directory,
    private readonly keys: SigningKeys,
    private readonly clock: Clock,
    /** 3599 s as Entra's own. Not below 300 s: the Service Bus SDK then asks for tokens in a hot loop. */
    readonly lifetimeSeconds: number,
    /** Of a token; random unless given. */
    private readonly newId: () => string = randomUUID,
  ) {}

  /**
   * A token for the resource. Which version it has is the resource's choice, as in Entra: the endpoint that it was
   * asked at has no say. `origin` names the issuer of tokens of version 2.
   */
  async issue(
    application: Application,
    audience: string,
    { origin, proof }: { readonly origin: string; readonly proof: 'secret' | 'assertion' },
  ): Promise<string> {
    const { tenantId } = this.directory;
    const now = Math.floor(this.clock() / 1000);
    const roles = this.directory.appRoles(application, audience);
    const api = this.directory.resource(audience);
    const version = api?.accessTokenVersion === 2 ? 2 : 1;
    const proved = proof === 'secret' ? '1' : '2';
    return await this.keys.tenant.sign({
      aud: version === 2 && api !== undefined ? api.clientId : audience,
      iss: issuerOf(origin, tenantId, version),
      iat: now,
      nbf: now,
      exp: now + this.lifetimeSeconds,
      jti: this.newId(),
      ...(version === 2
        ? { azp: application.clientId, azpacr: proved }
        : { appid: application.clientId, appidacr: proved }),
      idtyp: 'app',
      oid: application.objectId,
      sub: application.objectId,
      tid: tenantId,
      ver: `${version}.0`,
      ...(roles.length === 0 ? {} : { roles }),
    });
  }

  /** `audiences` without trailing slash; clients ask with and without. */
  async identify(authorization: string | undefined, audiences: readonly string[]): Promise<Identified> {
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    return token === undefined ? { refused: 'missing' } : await this.judge(token, audiences);
  }

  async judge(token: string, audiences: readonly string[]): Promise<Identified> {
    const claims = await this.#claims(token);
    if (claims === 'invalid' || claims === 'expired') return { refused: claims };
    const audience = typeof claims.aud === 'string' ? claims.aud : '';
    if (!audiences.includes(audience.replace(/\/+$/, ''))) return { refused: 'wrong-audience', audience };
    const client = claims['appid'] ?? claims['azp'];
    const application = this.directory.application(typeof client === 'string' ? client : '');
    if (application === undefined) return { refused: 'invalid' };
    return { principal: application, expiresAt: (claims.exp ?? 0) * 1000, audience };
  }

  /** Why an assertion does not prove that its bearer is the application; `undefined` when it does. */
  async refuseAssertion(
    application: Application,
    assertion: string,
    issuer: string,
  ): Promise<Refused | undefined> {
    let claims: JWTPayload;
    try {
      claims = decodeJwt(assertion);
    } catch {
      return { code: 700027 };
    }
    const fromIssuer = application.federatedCredentials.filter(
      (one) => (one.issuer ?? issuer) === claims.iss,
    );
    if (fromIssuer.length === 0) return { code: 700211, given: claims.iss ?? '' };
    const forSubject = fromIssuer.filter(({ subject }) => subject === claims.sub);
    if (forSubject.length === 0) return { code: 700213, given: claims.sub ?? '' };
    const audiences = [claims.aud ?? []].flat();
    const credential = forSubject.find((one) => audiences.includes(one.audience ?? exchangeAudience));
    if (credential === undefined) return { code: 700212, given: audiences.join(' ') };
    try {
      await this.#verifyAssertion(credential, assertion);
      return undefined;
    } catch (error) {
      const isOver = error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed;
      return isOver ? { code: 700024, given: timesOf(claims, this.clock()) } : { code: 700027 };
    }
  }

  /** What a cluster projects into a pod: a token that a federated application trades for its own. */
  async issueFederatedToken(origin: string, claims: FederatedClaims): Promise<string> {
    const now = Math.floor(this.clock() / 1000);
    const key = await this.keys.workload();
    return await key.sign({
      iss: workloadIssuer(origin),
      sub: claims.subject,
      aud: [claims.audience ?? exchangeAudience],
      iat: now,
      nbf: now,
      exp: now + (claims.lifetimeSeconds ?? 3600),
      jti: this.newId(),
    });
  }

  async #claims(token: string): Promise<JWTPayload | 'invalid' | 'expired'> {
    const now = this.clock();
    const known = this.#verified.get(token);
    if (known !== undefined) return (known.exp ?? 0) * 1000 <= now ? 'expired' : known;
    try {
      const claims = await this.keys.tenant.verify(token, now);
      if (this.#verified.size >= rememberedTokens) this.#verified.clear();
      this.#verified.set(token, claims);
      return claims;
    } catch (error) {
      return error instanceof errors.JWTExpired ? 'expired' : 'invalid';
    }
  }

  async #verifyAssertion(credential: FederatedCredential, assertion: string): Promise<void> {
    if (credential.issuer === undefined || credential.jwks === undefined) {
      const key = await this.keys.workload();
      await key.verify(assertion, this.clock());
      return;
    }
    // Given by whoever registered the credential; jose refuses what is no key.
    await verifyAgainst(credential.jwks.keys, assertion, this.clock());
  }
}

export function workloadIssuer(origin: string): string {
  return `${origin}/${workloadPath}/`;
}

function timesOf({ nbf, iat, exp }: JWTPayload, now: number): string {
  const at = (seconds: number | undefined) =>
    seconds === undefined ? 'unknown' : new Date(seconds * 1000).toISOString();
  return `Current time: ${new Date(now).toISOString()}, assertion valid from ${at(nbf ?? iat)}, expiry time of assertion ${at(exp)}`;
}
