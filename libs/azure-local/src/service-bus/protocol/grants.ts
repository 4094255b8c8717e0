import { isWithin, type Need, type PresentedToken, type VerifyToken } from '../authorization.js';
import { normal } from '../state/broker.js';
import { unauthorized } from '../errors.js';

/** The entity that an address belongs to: without the parts for management and dead letters. */
export function entityPath(address: string): string {
  return normal(address)
    .replace(/\/?\$management$/, '')
    .replace(/\/\$deadletterqueue$/, '');
}

type Token = Pick<PresentedToken, 'kind' | 'text' | 'audience'>;

interface Grant {
  readonly token: Token;
  /** By entity and need: until when. */
  readonly allowed: Map<string, number>;
}

/** What one connection may do: the tokens its client has put, each asked again for every entity and need. */
export class Grants {
  private readonly grants = new Map<string, Grant>();

  constructor(
    private readonly verify: VerifyToken,
    private readonly clock: () => number,
  ) {}

  /** Accepts a token that is good for anything at all on its entity; throws `Refused` otherwise. */
  async put(token: Token): Promise<void> {
    const path = entityPath(token.audience);
    const grant: Grant = { token, allowed: new Map() };
    let reason = '';
    for (const need of ['Listen', 'Send', 'Manage'] as const) {
      const refusal = await this.ask(grant, path, need);
      if (refusal === undefined) {
        this.grants.set(path, grant);
        return;
      }
      reason ||= refusal;
    }
    throw unauthorized(reason);
  }

  private async ask(grant: Grant, entity: string, need: Need): Promise<string | undefined> {
    const verdict = await this.verify({ ...grant.token, entity, need });
    if ('refused' in verdict) return verdict.refused;
    grant.allowed.set(`${need} ${entity}`, verdict.expiresAt);
    return undefined;
  }

  /** Throws `Refused` unless one of `needs` is granted on the entity of `address`. */
  async check(address: string, needs: readonly Need[]): Promise<void> {
    const entity = entityPath(address);
    const candidates = [...this.grants].filter(([path]) => isWithin(entity, path));
    let reason = `No token was presented for '${entity}'`;
    for (const [, grant] of candidates)
      for (const need of needs) {
        if ((grant.allowed.get(`${need} ${entity}`) ?? 0) > this.clock()) return;
        const refusal = await this.ask(grant, entity, need);
        if (refusal === undefined) return;
        reason = refusal;
      }
    throw unauthorized(reason);
  }

  /** Whether a link that was granted may stay. */
  isLive(address: string): boolean {
    const entity = entityPath(address);
    const now = this.clock();
    return [...this.grants].some(
      ([path, { allowed }]) => isWithin(entity, path) && [...allowed.values()].some((until) => until > now),
    );
  }
}
