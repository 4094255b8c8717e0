import { randomUUID } from 'node:crypto';
import { decodeJwt, errors, type JWTPayload } from 'jose';
import { replaceFile } from '../host/persist.js';
import type { Clock } from '../host/plugin.js';
import type { Application, Directory, FederatedCredential } from './state.js';
import type { EntraRefusal } from './errors.js';
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
  ) {}

  async issue(application: Application, audience: string): Promise<string> {
    const { tenantId } = this.directory;
    const now = Math.floor(this.clock() / 1000);
    const roles = this.directory.appRoles(application, audience);
    return await this.keys.tenant.sign({
      aud: audience,
      iss: `https://sts.windows.net/${tenantId}/`,
      iat: now,
      nbf: now,
      exp: now + this.lifetimeSeconds,
      jti: randomUUID(),
      appid: application.clientId,
      appidacr: '1',
      idtyp: 'app',
      oid: application.objectId,
      sub: application.objectId,
      tid: tenantId,
      ver: '1.0',
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
    const application = this.directory.application(typeof claims.appid === 'string' ? claims.appid : '');
    if (application === undefined) return { refused: 'invalid' };
    return { principal: application, expiresAt: (claims.exp ?? 0) * 1000, audience };
  }

  /** Why an assertion does not prove that its bearer is the application; `undefined` when it does. */
  async refuseAssertion(
    application: Application,
    assertion: string,
    issuer: string,
  ): Promise<EntraRefusal | undefined> {
    let claims: JWTPayload;
    try {
      claims = decodeJwt(assertion);
    } catch {
      return 700027;
    }
    const fromIssuer = application.federatedCredentials.filter(
      (one) => (one.issuer ?? issuer) === claims.iss,
    );
    if (fromIssuer.length === 0) return 700211;
    const forSubject = fromIssuer.filter(({ subject }) => subject === claims.sub);
    if (forSubject.length === 0) return 700213;
    const audiences = [claims.aud ?? []].flat();
    const credential = forSubject.find((one) => audiences.includes(one.audience ?? exchangeAudience));
    if (credential === undefined) return 700212;
    try {
      await this.#verifyAssertion(credential, assertion);
      return undefined;
    } catch (error) {
      return error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed
        ? 700024
        : 700027;
    }
  }

  /** What a cluster projects into a pod: a token that a federated application trades for its own. */
  async writeFederatedToken(
    file: string,
    origin: string,
    claims: { readonly subject: string; readonly audience?: string; readonly lifetimeSeconds?: number },
  ): Promise<void> {
    const now = Math.floor(this.clock() / 1000);
    const key = await this.keys.workload();
    const token = await key.sign({
      iss: workloadIssuer(origin),
      sub: claims.subject,
      aud: [claims.audience ?? exchangeAudience],
      iat: now,
      nbf: now,
      exp: now + (claims.lifetimeSeconds ?? 3600),
      jti: randomUUID(),
    });
    replaceFile(file, token);
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
