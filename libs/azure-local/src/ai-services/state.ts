import type { Table } from '../host/persist.js';
import type { Clock } from '../host/plugin.js';
import type { Slot } from '../resource-manager/keys.js';

/** What authenticated a call: a key, a token exchanged for one, an Entra token, or nothing. */
export type Proof = 'key' | 'issued-token' | 'entra' | 'none';

export interface Use {
  readonly account: string;
  readonly proof: Proof;
  /** `former`: once a key of this account; `unknown`: never one that we remember; `none`: no key involved. */
  readonly slot: Slot | 'former' | 'unknown' | 'none';
  readonly outcome: 'accepted' | 'refused';
  /** The first product of the User-Agent, version and all: `worker/1`. */
  readonly caller: string;
}

export interface LedgerEntry extends Use {
  readonly count: number;
  /** Milliseconds since 1970. */
  readonly firstAt: number;
  readonly lastAt: number;
}

/** Counts every use of a key: the proof that nobody was refused. */
export class Ledger {
  readonly #table: Table<LedgerEntry>;

  constructor(
    table: Table<LedgerEntry>,
    private readonly clock: Clock,
  ) {
    this.#table = table;
  }

  note(use: Use): void {
    const key = [use.account.toLowerCase(), use.proof, use.slot, use.outcome, use.caller].join(' ');
    const before = this.#table.get(key);
    const now = this.clock();
    this.#table.write([
      key,
      { ...use, count: (before?.count ?? 0) + 1, firstAt: before?.firstAt ?? now, lastAt: now },
    ]);
  }

  entries(): readonly LedgerEntry[] {
    return [...this.#table.entries()].map(([, entry]) => entry);
  }

  reset(): void {
    this.#table.write(...[...this.#table.entries()].map(([key]) => [key, undefined] as const));
  }
}

export function callerOf(userAgent: string | undefined): string {
  return userAgent?.trim().split(/\s+/, 1)[0]?.slice(0, 80) || 'unnamed';
}
