// What the API may be asked: path, query and body of every operation.
import {
  ConsumerChannel,
  ConsumerDeclaration,
  ConsumerName,
  KeySlot,
  RotationScope,
} from '@twinkey/contracts';
import { z } from 'zod';
import { RotationStateName } from './answers.js';

const By = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .default('anonymous')
  .describe('Who asks; recorded in the audit.');
const Reason = z.string().trim().min(1).max(500);

/** A query arrives as text. */
const wholeNumber = (most: number) =>
  z.coerce.number<string | number>().int().min(0).max(most).describe(`0 to ${most}`);

export const AccountPath = z.object({
  name: z
    .string()
    .min(1)
    .max(300)
    .describe('The name of the account, or `resource-group/name` (percent-encoded) where names repeat.'),
});
export const RotationPath = z.object({
  id: z
    .string()
    .regex(/^(r-)?[0-9a-f]{1,12}$/, 'must be "r-" and up to 12 hex digits')
    .describe('The id of the rotation, or the beginning of it if no other id begins so.'),
});

export const RotationsQuery = z.object({
  state: RotationStateName.optional(),
  account: z.string().min(1).max(300).optional(),
  limit: wholeNumber(500).default(50),
});
export const EventsQuery = z.object({
  after: wholeNumber(Number.MAX_SAFE_INTEGER).default(0).describe('Only events after this position.'),
  limit: wholeNumber(1000).default(200),
  watch: z
    .string()
    .optional()
    .describe(
      'Present, with any value: an endless stream of server-sent events that resumes at `Last-Event-ID`.',
    ),
});
export const CommandsQuery = z.object({
  account: z.string().min(1).max(300).optional(),
  limit: wholeNumber(500).default(50),
});

export const ConsumerPath = z.object({ name: ConsumerName });
export const DeclareBody = z.object({
  by: By,
  reason: Reason.optional(),
  owner: ConsumerDeclaration.shape.owner.describe('Whom to ask about it.'),
  accounts: z
    .array(z.string().min(1).max(300))
    .max(500)
    .default([])
    .describe('The accounts that it uses, by name, `resource-group/name` or ARM id.'),
  minimumInstances: ConsumerDeclaration.shape.minimumInstances
    .default(0)
    .describe('Fewer live instances than this hold a key switch.'),
  acknowledgeWithinSeconds: ConsumerDeclaration.shape.acknowledgeWithinSeconds.describe(
    'How long it has to acknowledge, and never longer than the policy of the account says.',
  ),
  onOverdue: ConsumerDeclaration.shape.onOverdue.describe(
    'By then: `hold` for a person, or `force`: leave it out. As the policy says unless given.',
  ),
  escalate: ConsumerDeclaration.shape.escalate.describe('Who is to be told that it keeps a switch waiting.'),
  channel: ConsumerChannel.default({ kind: 'instances' }).describe(
    'How it hears of new keys: its instances register themselves, or it is one receiver.',
  ),
});
export const WithdrawQuery = z.object({ by: By, reason: Reason.optional() });
export const KeylessQuery = z.object({
  quietSeconds: wholeNumber(90 * 86_400)
    .default(86_400)
    .describe('For how long nobody may have shown a key; a day unless given.'),
});

export const RotateBody = z
  .object({
    by: By,
    reason: Reason.optional(),
    scope: RotationScope.default('both').describe(
      '`half` retires only the key that is not in use, `emergency` a leaked one, before everything else.',
    ),
    slot: KeySlot.optional().describe('The slot whose key has leaked; for an emergency, and only then.'),
  })
  .refine(({ scope, slot }) => (scope === 'emergency') === (slot !== undefined), {
    path: ['slot'],
    error: 'must be given for an emergency, and only then',
  });
export const ReplayBody = z.object({ by: By, reason: Reason.optional() });
export const HaltBody = ReplayBody;
export const WaiveBody = z.object({ by: By, consumer: ConsumerName, reason: Reason });
export const ReplayDeadLettersBody = z.union([
  z.object({
    by: By,
    entity: z.string().min(1).max(260),
    sequenceNumbers: z
      .array(z.string().regex(/^\d{1,19}$/, 'must be a decimal number'))
      .min(1)
      .max(100),
  }),
  z.object({ by: By, entity: z.string().min(1).max(260), all: z.literal(true) }),
]);

export const IdempotencyKey = z.string().trim().min(1).max(200);

export type DeclareBody = z.infer<typeof DeclareBody>;
export type RotationsQuery = z.infer<typeof RotationsQuery>;
export type EventsQuery = z.infer<typeof EventsQuery>;
export type ReplayDeadLettersBody = z.infer<typeof ReplayDeadLettersBody>;
