// What the API answers, as schemas: the types of the controllers, the OpenAPI document and the specs all come
// from here. No field can hold a key; fingerprints are shown with their first 12 digits.
import { ConsumerChannel, Moment, RotationScope, Step } from '@twinkey/contracts';
import { z } from 'zod';

export { ProblemSchema as Problem } from '@twinkey/service';

const Time = Moment.nullable();
const Slot = z.enum(['key1', 'key2']);

export const RotationStateName = z.enum(['asked', 'running', 'waiting', 'halted', 'completed', 'refused']);
export const AccountStateName = z
  .enum(['healthy', 'due', 'rotating', 'waiting', 'halted', 'withdrawn'])
  .describe('`due`: the next rotation should have begun by now.');

export const StepView = z.object({
  step: Step,
  state: z.enum(['pending', 'running', 'done']),
  startedAt: Time,
  doneAt: Time,
  seconds: z.number().nullable(),
});

export const WaitingView = z.object({
  step: Step.nullable(),
  for: z.string().describe('acknowledgements, drain, quiescence, throttling, outage …'),
  detail: z.string(),
  since: Moment,
  until: Time,
});

export const HaltView = z.object({
  at: Moment,
  step: Step.nullable(),
  reason: z.string(),
  detail: z.string(),
  remedy: z.string(),
  goesOn: z
    .object({
      step: Step.nullable().describe('null: before the first step, or after the last.'),
      next: z.string(),
      safe: z.boolean().describe('Nobody can be interrupted by a replay.'),
      because: z.string(),
    })
    .nullable()
    .describe('Where a replay would take it up; null when the rotator has not said so.'),
});

export const RefusalView = z.object({
  at: Moment,
  command: z.string(),
  code: z.string(),
  detail: z.string(),
});

export const RotationView = z.object({
  id: z.string(),
  account: z.string().describe('The name of the account.'),
  accountId: z.string(),
  scope: RotationScope.describe(
    '`both` keys, `half`: the one that is not in use, `emergency`: a leaked one, before everything else.',
  ),
  slot: Slot.nullable().describe('The slot whose key has leaked, in an emergency.'),
  state: RotationStateName.describe('`asked`: the rotator has not answered the command yet.'),
  by: z.string().nullable(),
  reason: z.string().nullable(),
  requestedAt: Moment,
  step: Step.nullable().describe('Where the rotation is; null before the first step and after completion.'),
  steps: z.array(StepView),
  waiting: WaitingView.nullable(),
  halt: HaltView.nullable(),
  refusal: RefusalView.nullable().describe('The latest command about this rotation that was declined.'),
  waived: z.array(z.string()).describe('Consumers that were excused from acknowledging.'),
  completedAt: Time,
  seconds: z.number().nullable(),
  keysReplaced: z.int().nullable(),
  lastEventAt: Moment,
});

export const EventView = z.object({
  position: z.int().describe('Grows over all accounts; what `after` and `Last-Event-ID` name.'),
  account: z.string(),
  accountId: z.string(),
  rotation: z.string().nullable(),
  sequence: z.int().describe('Grows per account.'),
  at: Moment,
  event: z.string().describe('requested, step-started, step-done, waiting, published, halted, completed …'),
  what: z.record(z.string(), z.unknown()).describe('The fields of this kind of event.'),
});

export const RotationDetail = RotationView.extend({ events: z.array(EventView) });

export const ExplanationView = z.object({
  rotation: z.string(),
  account: z.string(),
  state: RotationStateName,
  waitsFor: z.string(),
  since: Moment,
  ifNobodyActs: z.string(),
  youCan: z.array(
    z.object({
      command: z.string().describe('A command line, or what to do elsewhere.'),
      effect: z.string(),
    }),
  ),
});

export const ConsumerView = z.object({
  consumer: z.string(),
  live: z.int(),
  acknowledged: z.int(),
  lapsed: z.int(),
  minimum: z.int().optional().describe('How many live instances a declared consumer must have.'),
  escalated: z
    .object({ to: z.string(), since: Moment })
    .optional()
    .describe('It has kept the key switch waiting for so long that this one is to be told.'),
});

export const ConsumerSummary = z.object({
  consumer: z.string(),
  declared: z
    .object({
      source: z.enum(['file', 'api']).describe('`file`: twinkey.yaml, which the API does not change.'),
      by: z.string().nullable().describe('Who asked for it over the API.'),
      since: Moment,
      owner: z.string(),
      accounts: z.array(z.string()),
      minimumInstances: z.int(),
      acknowledgeWithinSeconds: z.int().nullable(),
      onOverdue: z.enum(['hold', 'force']).nullable(),
      escalate: z.object({ afterSeconds: z.int(), to: z.string() }).nullable(),
      channel: ConsumerChannel,
      problems: z.array(z.string()).describe('What of the declaration cannot be kept.'),
    })
    .nullable()
    .describe('null: its instances have registered by themselves.'),
  accounts: z
    .array(ConsumerView.omit({ consumer: true }).extend({ account: z.string() }))
    .describe('The accounts on which it was seen or is expected, and how far it has moved on each.'),
});

const VerdictName = z.enum(['safe', 'unsafe', 'unknown']);

export const KeylessView = z.object({
  account: z.string(),
  accountId: z.string(),
  verdict: VerdictName.describe(
    '`safe`: every live instance of every consumer says that it has shown no key for the quiet time.',
  ),
  reasons: z.array(z.string()).describe('What concerns no single consumer.'),
  quietSeconds: z.int(),
  toldAt: Time.describe('When the notifier told of it last.'),
  consumers: z.array(
    z.object({
      consumer: z.string(),
      verdict: VerdictName,
      reasons: z.array(z.string()),
      live: z.int(),
      lapsed: z.int(),
      silent: z.int().describe('Live instances that do not say what they use.'),
      minimum: z.int(),
      receiver: z.boolean().describe('A declared receiver: it never says what it uses.'),
      used: z
        .object({ key: z.int(), token: z.int(), entra: z.int(), bare: z.boolean() })
        .nullable()
        .describe('By its live instances, since each started.'),
      shownAt: Time.describe('When any of its instances was last known to have shown a key.'),
      quietSince: Time.describe('Since when no live instance has shown any.'),
      lastSeenAt: Time,
    }),
  ),
});

export const KeyView = z.object({
  slot: Slot,
  fingerprint: z
    .string()
    .nullable()
    .describe('First 12 hex digits; null when the key was replaced and not published since.'),
});

export const AccountView = z.object({
  name: z.string(),
  account: z.string().describe('The ARM resource id.'),
  state: AccountStateName,
  rotation: z.string().nullable().describe('The open rotation.'),
  step: Step.nullable(),
  published: z
    .object({ slot: Slot, generation: z.int(), fingerprint: z.string(), at: Moment })
    .nullable()
    .describe('What consumers use.'),
  keys: z.array(KeyView),
  nextDueAt: Time,
  lastRotatedAt: Time,
  consumers: z.array(ConsumerView),
  drift: z
    .object({
      kind: z.string(),
      detail: z.string(),
      at: Moment,
      over: z
        .object({ how: z.enum(['healed', 'adopted', 'gone']), at: Moment })
        .nullable()
        .describe('null: it is not dealt with yet.'),
    })
    .nullable()
    .describe('The latest change by hand that was found.'),
  withdrawn: z.object({ at: Moment, reason: z.string() }).nullable(),
});

export const AccountDetail = AccountView.extend({
  settings: z
    .object({
      kind: z.string(),
      location: z.string(),
      endpoint: z.string(),
      secret: z.object({ vaultUrl: z.string(), name: z.string() }),
      policy: z.object({
        name: z.string(),
        intervalSeconds: z.number(),
        acknowledgeWithinSeconds: z.number(),
        onOverdue: z.enum(['hold', 'force']),
        drainSeconds: z.number(),
        withoutConsumers: z.enum(['wait', 'rotate']),
        lookEverySeconds: z.number().optional(),
        emergency: z
          .object({ acknowledgeWithinSeconds: z.number(), onOverdue: z.enum(['hold', 'force']) })
          .optional()
          .describe('What holds instead while a leaked key is retired.'),
      }),
    })
    .nullable()
    .describe('null until the scheduler has declared the account.'),
  rotations: z.array(RotationView).describe('The latest ones, newest first.'),
});

export const ServiceView = z.object({
  service: z.enum(['scheduler', 'rotator', 'notifier']),
  alive: z.boolean().nullable().describe('null: it never said so.'),
  startedAt: Time,
  lastSeenAt: Time,
});

export const AttentionView = z.object({
  account: z.string(),
  rotation: z.string().nullable().describe('null: the account is at rest.'),
  state: z.enum(['waiting', 'halted', 'escalated', 'drift']),
  step: Step.nullable(),
  since: Moment,
  detail: z.string(),
  until: Time,
  remedy: z.string().nullable(),
});

export const StatusView = z.object({
  at: Moment,
  accounts: z.object({
    total: z.int(),
    healthy: z.int(),
    due: z.int(),
    rotating: z.int(),
    waiting: z.int(),
    halted: z.int(),
  }),
  attention: z
    .array(AttentionView)
    .describe(
      'Halted rotations, those that wait for consumers, whom that was escalated about, and changes by hand that are not dealt with.',
    ),
  services: z.array(ServiceView),
});

export const Asked = z.object({
  rotation: z.string(),
  account: z.string(),
  command: z.enum(['rotate', 'replay', 'halt', 'waive']),
  after: z
    .int()
    .describe(
      'The position of the newest event at that time: what follows is caused by the command or later.',
    ),
});

export const CommandView = z.object({
  id: z.string(),
  command: z.string(),
  account: z.string().nullable(),
  rotation: z.string().nullable(),
  consumer: z.string().nullable(),
  by: z.string(),
  reason: z.string().nullable(),
  at: Moment,
});

export const DeadLetterView = z.object({
  entity: z.string().describe('A queue, or `topic/subscription`.'),
  sequenceNumber: z.string(),
  id: z.string(),
  account: z.string().nullable(),
  type: z.string().nullable().describe('The type of the message; null when the body is no event.'),
  reason: z.string().nullable(),
  description: z.string().nullable(),
  deliveryCount: z.int(),
  enqueuedAt: Moment,
});

export const ReplayedDeadLetterView = z.object({
  sequenceNumber: z.string(),
  id: z.string(),
  outcome: z.enum(['replayed', 'not-found']),
});

export const AccountList = z.object({ accounts: z.array(AccountView) });
export const ConsumerList = z.object({ consumers: z.array(ConsumerSummary) });
export const ConsumerWithdrawn = z.object({ consumer: z.string() });
export const RotationList = z.object({ rotations: z.array(RotationView) });
export const EventList = z.object({
  events: z.array(EventView),
  after: z.int().describe('Pass it as `after` to get what follows.'),
});
export const CommandList = z.object({ commands: z.array(CommandView) });
export const DeadLetterList = z.object({ deadLetters: z.array(DeadLetterView) });
export const DeadLettersReplayed = z.object({
  entity: z.string(),
  messages: z.array(ReplayedDeadLetterView),
});

export type ConsumerSummary = z.infer<typeof ConsumerSummary>;
export type KeylessView = z.infer<typeof KeylessView>;
export type StepView = z.infer<typeof StepView>;
export type RotationView = z.infer<typeof RotationView>;
export type RotationDetail = z.infer<typeof RotationDetail>;
export type ExplanationView = z.infer<typeof ExplanationView>;
export type EventView = z.infer<typeof EventView>;
export type EventList = z.infer<typeof EventList>;
export type AccountView = z.infer<typeof AccountView>;
export type AccountDetail = z.infer<typeof AccountDetail>;
export type ServiceView = z.infer<typeof ServiceView>;
export type AttentionView = z.infer<typeof AttentionView>;
export type StatusView = z.infer<typeof StatusView>;
export type Asked = z.infer<typeof Asked>;
export type CommandView = z.infer<typeof CommandView>;
export type DeadLetterView = z.infer<typeof DeadLetterView>;
export type DeadLettersReplayed = z.infer<typeof DeadLettersReplayed>;
