// What we know of an account's two slots, and of the rotation that is open for it. The ring never holds a key.
import type {
  AccountId,
  ConsumerName,
  Fingerprint,
  HaltReason,
  KeySlot,
  RotationId,
  RotationScope,
} from '@twinkey/contracts';

/** One call that may still execute: its answer never came, or has not come yet. */
export interface Attempt {
  readonly number: number;
  /** Milliseconds since 1970: our side gave the call up at this moment at the latest. */
  readonly notAfter: number;
}

export interface Retirement {
  readonly fingerprint: Fingerprint;
  readonly rotationId: RotationId;
}

export interface SlotRecord {
  /** The fingerprint that must no longer be accepted, as it was when the rotation began. */
  readonly retire: Retirement | null;
  /** Regenerations that may still execute. A later success does not settle an earlier doubt. */
  readonly regenerations: readonly Attempt[];
  /** The rotation that decided to regenerate the slot last: who else may have changed it since? */
  readonly regeneratedFor: RotationId | null;
  /** When that was, in milliseconds since 1970. */
  readonly regeneratedAt?: number | null;
  /** Publications of this slot that may still become current. */
  readonly publications: readonly Attempt[];
  /** What an answered regeneration returned; a list that disagrees is late, and must not be used. */
  readonly answered: { readonly fingerprint: Fingerprint; readonly at: number } | null;
}

export interface Publication {
  readonly slot: KeySlot;
  readonly fingerprint: Fingerprint;
  readonly generation: number;
  readonly version: string;
  readonly at: number;
}

/** The latest decision to publish that Key Vault has not yet been seen to show. */
export interface PublicationIntent {
  readonly slot: KeySlot;
  readonly fingerprint: Fingerprint;
  readonly generation: number;
}

/** The question put to the notifier last. */
export interface SwitchAsked {
  readonly generation: number;
  readonly request: number;
  readonly rotationId: RotationId | null;
  readonly deadlineAt: number;
  readonly waived: readonly ConsumerName[];
  /** Set when the notifier said that the deadline passed. */
  readonly overdue: {
    readonly at: number;
    readonly missing: readonly string[];
    readonly openFrom?: number;
    readonly hold?: boolean;
  } | null;
}

/** Why the gate may open: everyone uses `generation`, and nothing older is in flight from `openFrom` on. */
export interface Evidence {
  readonly generation: number;
  readonly rotationId: RotationId | null;
  readonly openFrom: number;
  /** `forced`: the deadline passed and the policy says go on. It stands for acknowledgements only. */
  readonly kind: 'acknowledged' | 'forced';
}

export interface OpenRotation {
  readonly rotationId: RotationId;
  readonly by: string;
  readonly reason: string;
  readonly scope: RotationScope;
  /** The slot whose key has leaked; null unless it is an emergency. */
  readonly leaked: KeySlot | null;
  readonly requestedAt: number;
  /** The slot in use when the fingerprints to retire were recorded; null until then. */
  readonly startedFrom: KeySlot | null;
  readonly waived: readonly ConsumerName[];
  readonly halted: { readonly reason: HaltReason; readonly detail: string; readonly remedy: string } | null;
  readonly keysReplaced: number;
  /** When the step that people see began. */
  readonly stepSince: number;
}

/** An open rotation that waits for its turn, with what it has still to retire. Nothing of it is lost meanwhile. */
export interface WaitingRotation {
  readonly rotation: OpenRotation;
  readonly retire: Readonly<Record<KeySlot, Retirement | null>>;
}

export interface KeyRing {
  readonly account: AccountId;
  /** Counts the events folded in: a clock that no machine can skew. */
  readonly revision: number;
  /** An observation taken before this revision no longer counts. */
  readonly keysFrom: number;
  readonly vaultFrom: number;
  readonly published: Publication | null;
  /** No generation is ever used twice, not even one that was only intended. */
  readonly highestGeneration: number;
  readonly intent: PublicationIntent | null;
  readonly slots: Readonly<Record<KeySlot, SlotRecord>>;
  readonly attempts: number;
  /** The rotation that is being worked on. */
  readonly rotation: OpenRotation | null;
  /** Rotations that an emergency goes before, and emergencies behind another one. */
  readonly inLine: readonly WaitingRotation[];
  readonly asked: SwitchAsked | null;
  readonly evidence: Evidence | null;
  /** The drift found last, until a publication heals it. */
  readonly drift: string | null;
  /** Why somebody should look at everything outside although nothing else is owed; null: nobody has to. */
  readonly lookWanted: string | null;
  /** The key of each slot as it was seen last; null while one of our own calls may have replaced it. */
  readonly known: Readonly<Record<KeySlot, Fingerprint | null>>;
  /** Since when, in milliseconds since 1970: a list that says otherwise soon after may be a late one. */
  readonly knownAt: Readonly<Record<KeySlot, number>>;
  /** The highest generation that an instance acknowledged although it was never published as far as the ring knows. */
  readonly ahead: number;
  /** Counts the lives of the database; a restored one begins a new life. */
  readonly incarnation: number;
  /** After a restore, until it is known what consumers read: what is published may be from before. */
  readonly restored: boolean;
  /** After a restore the gate stays shut until every instance had the time to register anew. */
  readonly registryFrom: number | null;
  /** What the rotation was seen waiting for, so that it is told once. */
  readonly waiting: string | null;
  /** Rotations that ended, newest first: a message about one of them is late. */
  readonly finished: readonly RotationId[];
}

const EMPTY_SLOT: SlotRecord = {
  retire: null,
  regenerations: [],
  regeneratedFor: null,
  regeneratedAt: null,
  publications: [],
  answered: null,
};

/** The ring of an account that twinkey has never touched. */
export function emptyRing(account: AccountId): KeyRing {
  return {
    account,
    revision: 0,
    keysFrom: 0,
    vaultFrom: 0,
    published: null,
    highestGeneration: 0,
    intent: null,
    slots: { key1: EMPTY_SLOT, key2: EMPTY_SLOT },
    attempts: 0,
    rotation: null,
    inLine: [],
    asked: null,
    evidence: null,
    drift: null,
    lookWanted: null,
    known: { key1: null, key2: null },
    knownAt: { key1: 0, key2: 0 },
    ahead: 0,
    incarnation: 0,
    restored: false,
    registryFrom: null,
    waiting: null,
    finished: [],
  };
}

/** Every open rotation of the account: the one that is being worked on, then those in line. */
export function openRotations({ rotation, inLine }: KeyRing): readonly OpenRotation[] {
  return [...(rotation === null ? [] : [rotation]), ...inLine.map((waiting) => waiting.rotation)];
}
