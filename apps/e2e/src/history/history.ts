// The history of a run as the checker judges it. It has two parts: the facts, which a witness outside of twinkey wrote
// down, and what twinkey says of itself, which is a claim to be held against the facts.
import type { Fact } from './facts.js';

export type Slot = 'key1' | 'key2';

/** A rotation that somebody asked for, and what twinkey tells of it. Moments are milliseconds since 1970. */
export interface ToldRotation {
  readonly id: string;
  readonly account: string;
  /** The slots that it was asked to replace. */
  readonly due: readonly Slot[];
  readonly requestedAt: number;
  readonly completedAt: number | null;
  readonly state: string;
  readonly halt: { readonly reason: string; readonly remedy: string } | null;
  readonly claims: readonly Claim[];
}

export type Claim =
  | { readonly claim: 'retired'; readonly slot: Slot; readonly fingerprint: string; readonly by: string }
  | {
      readonly claim: 'published';
      readonly slot: Slot;
      readonly generation: number;
      readonly fingerprint: string;
    };

export interface History {
  /** In the order in which they happened. */
  readonly facts: readonly Fact[];
  readonly rotations: readonly ToldRotation[];
  /** What the callers counted themselves. */
  readonly callers: { readonly calls: number; readonly refused: number };
  /** How the User-Agent of a consumer begins. */
  readonly consumer: string;
  /** A call that was given up may execute for so long; until then nothing may be sent again. */
  readonly quiescenceMs: number;
  /** Accounts whose rotations are expected to end halted: with what reason. */
  readonly halted?: Readonly<Record<string, string>>;
}

/** One thing that must not have happened. */
export interface Finding {
  readonly rule: string;
  readonly account: string;
  readonly text: string;
}
