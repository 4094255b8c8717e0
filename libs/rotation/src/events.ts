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
    }
  | {
      readonly type: 'SwitchOverdue';
      readonly generation: number;
      readonly request: number;
      readonly missing: readonly string[];
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
      readonly kind: 'vault-changed' | 'key-regenerated';
      readonly detail: string;
    }
  | { readonly type: 'DriftGone' }
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
