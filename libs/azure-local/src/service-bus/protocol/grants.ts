import { isWithin, type Need, type PresentedToken, type VerifyToken } from '../authorization.js';
import { normal } from '../state/broker.js';
import { unauthorized } from '../errors.js';

/** The entity that an address belongs to: without the parts for management and dead letters. */
export function entityPath(address: string): string {
  return normal(address)
    .replace(/\/?\$management$/, '')
    .replace(/\/\$deadletterqueue$/, '');
}

export type Token = Pick<PresentedToken, 'kind' | 'text' | 'audience'>;

interface Grant {
  readonly token: Token;
  /** By entity and need: until when. */
  readonly allowed: Map<string, number>;
}

/** What one connection may do: the tokens its client has put, each asked again for every entity and need. */
export class Grants {
  private readonly grants = new Map<string, Grant>();
  private soonestEnd = Infinity;

  constructor(
    private readonly verify: VerifyToken,
    private readonly clock: () => number,
  ) {}

  /** Takes a token for the whole namespace whose bearer has proved himself already. */
  trust(token: Token): void {
    this.grants.set('', { token, allowed: new Map() });
  }

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
    this.soonestEnd = Math.min(this.soonestEnd, verdict.expiresAt);
    return undefined;
  }

  /** Whether one of `needs` is known to be granted on the entity, without asking anybody. */
  knows(entity: string, needs: readonly Need[]): boolean {
    const now = this.clock();
    for (const [path, { allowed }] of this.grants)
      if (isWithin(entity, path) && needs.some((need) => (allowed.get(`${need} ${entity}`) ?? 0) > now))
        return true;
    return false;
  }

  /** Throws `Refused` unless one of `needs` is granted on the entity (see {@link entityPath}). */
  async check(entity: string, needs: readonly Need[]): Promise<void> {
    if (this.knows(entity, needs)) return;
    const candidates = [...this.grants].filter(([path]) => isWithin(entity, path));
    let reason = `No token was presented for '${entity}'`;
    for (const [, grant] of candidates)
      for (const need of needs) {
        const refusal = await this.ask(grant, entity, need);
        if (refusal === undefined) return;
        reason = refusal;
      }
    throw unauthorized(reason);
  }

  /** Whether anything that was granted has ended: costs nothing while all tokens are good. */
  get hasEnded(): boolean {
    return this.soonestEnd <= this.clock();
  }

  /** Forgets what has ended. */
  forgetEnded(): void {
    const now = this.clock();
    this.soonestEnd = Infinity;
    for (const { allowed } of this.grants.values())
      for (const [key, until] of allowed)
        if (until <= now) allowed.delete(key);
        else this.soonestEnd = Math.min(this.soonestEnd, until);
  }

  /** Whether a link to the entity may stay. */
  isLive(entity: string): boolean {
    const now = this.clock();
    for (const [path, { allowed }] of this.grants)
      if (isWithin(entity, path)) for (const until of allowed.values()) if (until > now) return true;
    return false;
  }
}
