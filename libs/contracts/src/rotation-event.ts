import { z } from 'zod';
import { defineMessage } from './message.js';
import {
  AccountId,
  Fingerprint,
  Generation,
  KeySlot,
  Moment,
  RotationId,
  RotationScope,
  Step,
} from './vocabulary.js';

/** Why a rotation stopped for a person. `docs/reference/errors.md` has a sentence and a remedy for each. */
export const HaltReason = z.enum([
  'account-not-found',
  'local-auth-disabled',
  'access-refused',
  'secret-unusable',
  'consumer-silent',
  'no-consumers',
  'key-not-accepted',
  'old-key-still-accepted',
  'operator',
  'unexpected-answer',
]);
export type HaltReason = z.infer<typeof HaltReason>;

/** Where a replay would take a halted rotation up, and whether nobody can be interrupted by it. */
const Foresight = z.object({
  /** Absent: before the first step, or after the last. */
  step: Step.optional(),
  next: z.string(),
  safe: z.boolean(),
  because: z.string(),
});

const what = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('requested'),
    reason: z.string(),
    by: z.string(),
    steps: z.array(Step),
    retire: z.array(z.object({ slot: KeySlot, fingerprint: Fingerprint })),
    /** Absent: the keys of both slots. */
    scope: RotationScope.optional(),
    /** The slot whose key has leaked, in an emergency. */
    slot: KeySlot.optional(),
  }),
  z.object({ event: z.literal('step-started'), step: Step }),
  z.object({ event: z.literal('step-done'), step: Step, seconds: z.number().min(0) }),
  z.object({
    event: z.literal('waiting'),
    /** Absent before the first step: the rotation is still looking at the account. */
    step: Step.optional(),
    /** `emergency`: a rotation that retires a leaked key goes first. */
    for: z.enum([
      'acknowledgements',
      'drain',
      'quiescence',
      'propagation',
      'throttling',
      'outage',
      'emergency',
    ]),
    detail: z.string(),
    until: Moment.optional(),
  }),
  z.object({
    event: z.literal('published'),
    slot: KeySlot,
    generation: Generation,
    fingerprint: Fingerprint,
  }),
  z.object({
    event: z.literal('retired'),
    slot: KeySlot,
    fingerprint: Fingerprint,
    by: z.enum(['twinkey', 'stranger']),
  }),
  z.object({
    event: z.literal('drift'),
    /** `spare-regenerated`: the key that nobody is on; it is taken over as it is. */
    kind: z.enum(['vault-changed', 'key-regenerated', 'acknowledgement-ahead', 'spare-regenerated']),
    detail: z.string(),
  }),
  /** The drift told last is no more: a publication healed it, it was taken over, or it went away by itself. */
  z.object({
    event: z.literal('drift-over'),
    how: z.enum(['healed', 'adopted', 'gone']),
    detail: z.string(),
  }),
  /** The database is a restored one: everything is looked at and asked anew before any key is touched. */
  z.object({ event: z.literal('restored'), detail: z.string() }),
  z.object({
    event: z.literal('halted'),
    step: Step.optional(),
    reason: HaltReason,
    detail: z.string(),
    remedy: z.string(),
    goesOn: Foresight.optional(),
  }),
  /** Something happened to a halted rotation meanwhile: a replay would go on otherwise than was said last. */
  z.object({ event: z.literal('foreseen'), goesOn: Foresight }),
  z.object({ event: z.literal('replayed'), by: z.string(), step: Step.optional() }),
  z.object({ event: z.literal('forced'), step: Step, detail: z.string() }),
  z.object({ event: z.literal('waived'), consumer: z.string(), by: z.string(), reason: z.string() }),
  z.object({
    event: z.literal('completed'),
    seconds: z.number().min(0),
    keysReplaced: z.int().min(0),
    /** Absent: both keys were replaced, and the account's clock starts anew. */
    scope: RotationScope.optional(),
  }),
  z.object({ event: z.literal('refused'), command: z.string(), code: z.string(), detail: z.string() }),
]);

/** rotator → anyone: what happened. `sequence` grows per account; a reader keeps the highest and is never put back. */
export const RotationEvent = defineMessage({
  type: 'com.twinkey.rotation.event.v1',
  entity: 'rotation-events',
  data: z.object({
    account: AccountId,
    rotationId: RotationId.optional(),
    sequence: z.int().min(1),
    at: Moment,
    what,
  }),
});
export type RotationEvent = z.infer<typeof RotationEvent.data>;
