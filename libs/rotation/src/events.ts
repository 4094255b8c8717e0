// What can happen to a key ring. The journal keeps these; `evolve` folds them.
import type {
  ConsumerName,
  Fingerprint,
  HaltReason,
  KeySlot,
  RotationId,
  RotationScope,
} from '@twinkey/contracts';

type Fingerprints = Readonly<Record<KeySlot, Fingerprint>>;

/** Every event carries the moment at which it was decided, in milliseconds since 1970. */
export type RingEvent = { readonly at: number } & (
  | {
      readonly type: 'RotationRequested';
      readonly rotationId: RotationId;
      readonly by: string;
      readonly reason: string;
      /** Absent: both. */
      readonly scope?: RotationScope;
      /** The slot that leaked, in an emergency. */
      readonly slot?: KeySlot;
    }
  | {
      readonly type: 'RetirementsRecorded';
      readonly rotationId: RotationId;
      /** Only the slots that the rotation's scope asks for. */
      readonly retire: Partial<Fingerprints>;
      readonly startedFrom: KeySlot;
    }
  | {
      readonly type: 'RegenerationIntended';
      readonly slot: KeySlot;
      readonly before: Fingerprints;
      readonly attempt: number;
      readonly notAfter: number;
    }
  | {
      readonly type: 'RegenerationAnswered';
      readonly slot: KeySlot;
      readonly attempt: number;
      readonly after: Fingerprints;
    }
  | {
      readonly type: 'RegenerationNotExecuted';
      readonly slot: KeySlot;
      readonly attempt: number;
      readonly code: string;
    }
  | {
      readonly type: 'RegenerationInDoubt';
      readonly slot: KeySlot;
      readonly attempt: number;
      readonly detail: string;
    }
  | { readonly type: 'RegenerationsSettled'; readonly slot: KeySlot; readonly attempts: readonly number[] }
  | { readonly type: 'AnswerOverruled'; readonly slot: KeySlot; readonly listed: Fingerprint }
  | {
      readonly type: 'KeyRetired';
      readonly slot: KeySlot;
      readonly fingerprint: Fingerprint;
      readonly rotationId: RotationId;
      readonly proof: 'refused' | 'listed';
    }
  | {
      readonly type: 'PublicationIntended';
      readonly slot: KeySlot;
      readonly fingerprint: Fingerprint;
      readonly generation: number;
      readonly attempt: number;
      readonly notAfter: number;
    }
  | {
      readonly type: 'Published';
      readonly slot: KeySlot;
      readonly fingerprint: Fingerprint;
      readonly generation: number;
      readonly version: string;
      readonly attempt: number | null;
    }
  | {
      readonly type: 'PublicationNotExecuted';
      readonly slot: KeySlot;
      readonly attempt: number;
      readonly code: string;
    }
  | {
      readonly type: 'PublicationInDoubt';
      readonly slot: KeySlot;
      readonly attempt: number;
      readonly detail: string;
    }
  | { readonly type: 'PublicationsSettled'; readonly slot: KeySlot; readonly attempts: readonly number[] }
  | {
      readonly type: 'SwitchAsked';
      readonly generation: number;
      readonly request: number;
      readonly rotationId: RotationId | null;
      readonly deadlineAt: number;
      readonly waived: readonly ConsumerName[];
    }
  | {
      readonly type: 'SwitchConfirmed';
      readonly generation: number;
      readonly request: number;
      readonly openFrom: number;
      readonly instances: number;
      /** Declared consumers that were left out at deadlines of their own. */
      readonly forced?: readonly ConsumerName[];
    }
  | {
      readonly type: 'SwitchOverdue';
      readonly generation: number;
      readonly request: number;
      readonly missing: readonly string[];
      /** From when on nothing of the others is in flight; absent: the notifier did not say. */
      readonly openFrom?: number;
      /** One of the missing was declared to be waited for, whatever the account's policy says. */
      readonly hold?: boolean;
    }
  | {
      readonly type: 'GateForced';
      readonly generation: number;
      readonly missing: readonly string[];
      /** The deadline excuses the silent ones; those who switched at the last moment still get their drain. */
      readonly openFrom: number;
    }
  | {
      readonly type: 'DriftFound';
      readonly kind: 'vault-changed' | 'key-regenerated' | 'acknowledgement-ahead';
      readonly detail: string;
    }
  | { readonly type: 'DriftGone' }
  /** Somebody saw a sign that the account or the vault was changed by hand. */
  | { readonly type: 'LookWanted'; readonly why: string }
  | { readonly type: 'LookDone' }
  | { readonly type: 'KeysNoted'; readonly keys: Partial<Fingerprints> }
  /** A stranger replaced a key that nobody is on: from now on it is the slot's key. */
  | { readonly type: 'KeyAdopted'; readonly slot: KeySlot; readonly fingerprint: Fingerprint }
  | { readonly type: 'AcknowledgementAhead'; readonly generation: number; readonly who: string }
  /** The database is a restored one: what was decided and called since then is not in it. */
  | {
      readonly type: 'IncarnationBegan';
      readonly incarnation: number;
      readonly cause: string;
      /** Every call of the forgotten time was given up by this moment. */
      readonly notAfter: number;
      readonly registryFrom: number;
      /** What the vault shows, or the highest that is known. */
      readonly generation: number;
    }
  | { readonly type: 'WaitingFor'; readonly what: Waiting }
  | {
      readonly type: 'ConsumerWaived';
      readonly consumer: ConsumerName;
      readonly by: string;
      readonly reason: string;
      /** Absent: the rotation that is being worked on. */
      readonly rotationId?: RotationId;
    }
  | {
      readonly type: 'CommandRefused';
      readonly command: string;
      readonly rotationId: RotationId;
      readonly code: string;
      readonly detail: string;
    }
  | {
      readonly type: 'RotationHalted';
      readonly reason: HaltReason;
      readonly detail: string;
      readonly remedy: string;
      /** Absent: the rotation that is being worked on. */
      readonly rotationId?: RotationId;
    }
  /** Something stands in the way although no rotation is open: a first publication, a drift that cannot be healed. */
  | {
      readonly type: 'CareHindered';
      readonly reason: HaltReason;
      readonly detail: string;
      readonly remedy: string;
    }
  | { readonly type: 'RotationReplayed'; readonly by: string; readonly rotationId?: RotationId }
  | { readonly type: 'RotationCompleted'; readonly rotationId: RotationId }
);

/** What a rotation waits for while nothing can be done. */
export interface Waiting {
  readonly for:
    'acknowledgements' | 'drain' | 'quiescence' | 'propagation' | 'throttling' | 'outage' | 'emergency';
  readonly detail: string;
  /** What a fault is called; its detail may differ each time, and is told once all the same. */
  readonly code?: string;
  /** Milliseconds since 1970; absent: until a message says so. */
  readonly until?: number;
}
