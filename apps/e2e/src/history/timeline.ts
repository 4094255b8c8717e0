// Facts put together: a call with its answer, two records of an account as the replacement of a key, the versions of
// a secret as publications. The place of a fact in the history says what came first.
import type { AnswerFact, CallFact, Fact, KeysFact, VersionFact } from './facts.js';
import type { Slot } from './history.js';

export interface Answered {
  readonly arrived: number;
  /** Where the answer stands; undefined: there was none. */
  readonly answered: number | undefined;
  readonly status: number | 'cut' | undefined;
  readonly at: number;
  readonly answeredAt: number | undefined;
}

export type Call = Answered & Pick<CallFact, 'account' | 'key' | 'caller'>;
export type Request = Answered & { readonly account: string; readonly slot: Slot };

export interface Replacement {
  readonly place: number;
  readonly at: number;
  readonly account: string;
  readonly slot: Slot;
  readonly old: string;
  readonly fresh: string;
}

export interface Publication {
  readonly place: number;
  readonly at: number;
  readonly account: string;
  readonly secret: string;
  readonly version: string;
  /** Fingerprint of the value itself. */
  readonly key: string;
  /** What the version's tags say of it. */
  readonly slot: string;
  readonly generation: number;
  readonly fingerprint: string;
}

function answersIn(facts: readonly Fact[]) {
  const answers = new Map<string, AnswerFact & { place: number; at: number }>();
  for (const [place, fact] of facts.entries())
    if (fact.fact === 'answer') answers.set(fact.id, { ...fact, place });
  return (id: string, arrived: number, at: number): Answered => {
    const answer = answers.get(id);
    return { arrived, at, answered: answer?.place, status: answer?.status, answeredAt: answer?.at };
  };
}

/** Calls of the data plane. */
export function callsIn(facts: readonly Fact[]): readonly Call[] {
  const answered = answersIn(facts);
  return facts.flatMap((fact, place) =>
    fact.fact === 'call' ? [{ ...fact, ...answered(fact.id, place, fact.at) }] : [],
  );
}

/** Requests to regenerate, whatever came of them. */
export function requestsIn(facts: readonly Fact[]): readonly Request[] {
  const answered = answersIn(facts);
  return facts.flatMap((fact, place) =>
    fact.fact === 'asked' ? [{ ...fact, ...answered(fact.id, place, fact.at) }] : [],
  );
}

/** Keys that were replaced, told by the accounts' records and not by anybody's answer. */
export function replacementsIn(facts: readonly Fact[]): readonly Replacement[] {
  const known = new Map<string, KeysFact>();
  const found: Replacement[] = [];
  for (const [place, fact] of facts.entries()) {
    if (fact.fact !== 'keys') continue;
    const before = known.get(fact.account);
    known.set(fact.account, fact);
    if (before === undefined) continue;
    for (const slot of ['key1', 'key2'] as const) {
      if (before[slot] === fact[slot]) continue;
      const { account, at } = fact;
      found.push({ place, at, account, slot, old: before[slot], fresh: fact[slot] });
    }
  }
  return found;
}

/** The keys of an account at a place in the history. */
export function keysAt(facts: readonly Fact[], account: string, place: number): KeysFact | undefined {
  return facts
    .slice(0, place + 1)
    .findLast((fact): fact is Fact & KeysFact => fact.fact === 'keys' && fact.account === account);
}

/** New versions of secrets that say of which account they hold a key. */
export function publicationsIn(facts: readonly Fact[]): readonly Publication[] {
  const seen = new Set<string>();
  const found: Publication[] = [];
  for (const [place, fact] of facts.entries()) {
    if (fact.fact !== 'version' || seen.has(nameOf(fact))) continue;
    seen.add(nameOf(fact));
    const account = fact.tags['twinkey-account']?.split('/').at(-1)?.toLowerCase();
    if (account === undefined) continue;
    const { secret, version, key, at, tags } = fact;
    const generation = Number(tags['twinkey-generation']);
    const [slot, fingerprint] = [tags['twinkey-slot'] ?? '', tags['twinkey-fingerprint'] ?? ''];
    found.push({ place, at, account, secret, version, key, slot, generation, fingerprint });
  }
  return found;
}

function nameOf({ secret, version }: VersionFact): string {
  return `${secret}/${version}`;
}
