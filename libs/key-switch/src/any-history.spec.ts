// Whatever instances, the network and time do, in whatever order: what may be concluded from it?
import { describe, expect, it } from '@jest/globals';
import { AccountId, ConsumerName, Fingerprint, generation, InstanceId } from '@twinkey/contracts';
import fc from 'fast-check';
import type { Expectation } from './expectation.js';
import {
  decideInstance,
  evolveInstance,
  lapsesAt,
  standingOf,
  type Instance,
  type InstanceCommand,
  type Terms,
} from './instance.js';
import type { KeySwitch } from './key-switch.js';
import { owed } from './owed.js';

const terms: Terms = { leaseSeconds: 30, rereadSeconds: 60, clockSkewSeconds: 5 };
const IDS = ['i-00000000000000aa', 'i-00000000000000bb', 'i-00000000000000cc'].map((id) =>
  InstanceId.parse(id),
);
const CONSUMERS = ['web-shop', 'billing'].map((name) => ConsumerName.parse(name));
const BOOTS = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'];
const PUBLISHED = generation(7);

const question: KeySwitch = {
  account: AccountId.parse(
    '/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/speech',
  ),
  rotationId: null,
  generation: PUBLISHED,
  request: 1,
  slot: 'key2',
  fingerprint: Fingerprint.parse('a'.repeat(32)),
  secret: { vaultUrl: 'https://vault.localhost/', name: 'speech' },
  publishedAt: 0,
  deadlineAt: 0,
  drainSeconds: 10,
  withoutConsumers: 'rotate',
  waived: [],
  announced: true,
  answer: null,
};

interface Said {
  readonly id: InstanceId;
  readonly command: InstanceCommand;
  /** How much later than what was said before. */
  readonly afterMs: number;
}

const boot = fc.constantFrom(...BOOTS);
const command: fc.Arbitrary<InstanceCommand> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ command: fc.constant('heartbeat' as const), boot }) },
  {
    weight: 5,
    arbitrary: fc.record({
      command: fc.constant('acknowledge' as const),
      boot,
      generation: fc.integer({ min: 0, max: 9 }).map(generation),
      drainedAt: fc.option(fc.integer({ min: 0, max: 400_000 })),
      published: fc.constant(PUBLISHED),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ command: 'leave' as const }) },
);
const said: fc.Arbitrary<Said> = fc
  .tuple(
    fc.constantFrom(...IDS),
    fc.oneof({ weight: 2, arbitrary: fc.constant(null) }, { weight: 5, arbitrary: command }),
    boot,
    fc.constantFrom(...CONSUMERS),
    fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 40_000 })),
  )
  .map(([id, what, from, consumer, afterMs]) => ({
    id,
    afterMs,
    command: what ?? { command: 'register', instance: id, consumer, boot: from },
  }));
const history = fc.array(said, { maxLength: 40 });

/** What may be declared of the consumers: of none, one or both of them. */
const declarations: fc.Arbitrary<readonly Expectation[]> = fc
  .tuple(
    ...CONSUMERS.map((consumer) =>
      fc.option(
        fc.record({
          consumer: fc.constant(consumer),
          minimum: fc.integer({ min: 0, max: 3 }),
          deadlineAt: fc.option(fc.integer({ min: 0, max: 200_000 })),
          onOverdue: fc.option(fc.constantFrom('hold' as const, 'force' as const)),
        }),
      ),
    ),
  )
  .map((each) => each.filter((one) => one !== null));

type Registry = Readonly<Record<string, Instance | null>>;

/** Lets all of it happen; `look` sees the registry before and after each thing that is said. */
function live(
  all: readonly Said[],
  look: (before: Registry, after: Registry, what: Said, now: number) => void,
): void {
  let registry: Registry = {};
  let now = 1_000;
  for (const what of all) {
    now += what.afterMs;
    const current = registry[what.id] ?? null;
    const { events = [] } = decideInstance(current, what.command, terms, now);
    const after = { ...registry, [what.id]: events.reduce(evolveInstance, current) };
    look(registry, after, what, now);
    registry = after;
  }
}

const known = (registry: Registry) => Object.values(registry).filter((instance) => instance !== null);

/** Who holds the gate at that moment. */
function missing(registry: Registry, now: number): readonly InstanceId[] {
  const answer = owed(question, known(registry), terms, now, []);
  return answer.owed === 'answer' && answer.outcome === 'overdue'
    ? answer.missing.flatMap(({ instance }) => instance ?? [])
    : [];
}

describe('in any history of instances', () => {
  it('nobody stops to be owed without a proof: its own acknowledgement, its goodbye, or a lease that is over', () => {
    fc.assert(
      fc.property(history, (all) => {
        live(all, (before, after, { id, command: last }, now) => {
          const still = missing(after, now);
          for (const held of missing(before, now).filter((instance) => !still.includes(instance))) {
            expect(held).toBe(id);
            if (last.command === 'leave') continue;
            expect(last).toMatchObject({ command: 'acknowledge', generation: PUBLISHED });
            expect(last).toHaveProperty('boot', before[held]?.boot);
          }
        });
      }),
      { numRuns: 300 },
    );
  });

  it('time alone frees nobody before its lease and the clock skew are over', () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 0, max: 60_000 }), (all, wait) => {
        live(all, (_, after, __, now) => {
          const still = missing(after, now + wait);
          for (const held of missing(after, now)) {
            const instance = after[held];
            if (instance == null) throw new Error('whoever holds the gate is known');
            expect(still.includes(held)).toBe(now + wait <= lapsesAt(instance, terms));
          }
        });
      }),
      { numRuns: 100 },
    );
  });

  it('an instance is believed only what its own start of the process has said since it registered', () => {
    fc.assert(
      fc.property(history, (all) => {
        const spoken = new Map<string, Set<number>>();
        live(all, (before, after, { id, command: last }) => {
          const [was, is] = [before[id], after[id]];
          if (last.command === 'register' && (was == null || was.gone)) spoken.set(id, new Set([0]));
          if (last.command === 'acknowledge' && last.boot === was?.boot) spoken.get(id)?.add(last.generation);
          if (is != null) expect(spoken.get(id)).toContain(is.acknowledged);
          if ('boot' in last && was != null && !was.gone && last.boot !== was.boot) expect(is).toBe(was);
        });
      }),
      { numRuns: 300 },
    );
  });

  it('neither a generation nor a lease of a living instance ever goes back', () => {
    fc.assert(
      fc.property(history, (all) => {
        live(all, (before, after, { id }) => {
          const [was, is] = [before[id], after[id]];
          if (was == null || was.gone) return;
          expect(is?.acknowledged).toBeGreaterThanOrEqual(was.acknowledged);
          expect(is?.leaseUntil).toBeGreaterThanOrEqual(was.leaseUntil);
        });
      }),
      { numRuns: 300 },
    );
  });

  it('the gate opens only after every drain that was told, clocks apart as they may be', () => {
    fc.assert(
      fc.property(history, (all) => {
        live(all, (_, after, __, now) => {
          const answer = owed(question, known(after), terms, now, []);
          if (answer.owed !== 'answer') return;
          expect(answer.openFrom).toBeGreaterThanOrEqual(now);
          for (const { gone, acknowledged, drainedAt } of known(after)) {
            if (gone || acknowledged !== PUBLISHED || drainedAt === null) continue;
            expect(answer.openFrom).toBeGreaterThanOrEqual(drainedAt + terms.clockSkewSeconds * 1000);
          }
        });
      }),
      { numRuns: 200 },
    );
  });

  it('nobody is left out but whom its declaration leaves out, at its own deadline and not before', () => {
    const deadline = fc.integer({ min: 0, max: 200_000 });
    let [opened, forced] = [0, 0];
    fc.assert(
      fc.property(history, declarations, deadline, (all, expected, deadlineAt) => {
        live(all, (_, after, __, now) => {
          const asked = { ...question, deadlineAt };
          const answer = owed(asked, known(after), terms, now, expected);
          if (answer.owed !== 'answer') return;
          const alive = known(after).filter((one) => standingOf(one, terms, now) === 'live');
          const behind = alive.filter(({ acknowledged }) => acknowledged !== PUBLISHED);
          const few = expected.filter(
            ({ consumer, minimum }) => alive.filter((one) => one.consumer === consumer).length < minimum,
          );
          const holding = new Set([...behind, ...few].map(({ consumer }) => consumer));
          for (const consumer of answer.forced) {
            const own = expected.find((one) => one.consumer === consumer);
            expect(own?.onOverdue).toBe('force');
            expect(now).toBeGreaterThanOrEqual(Math.min(own?.deadlineAt ?? deadlineAt, deadlineAt));
            expect(holding).toContain(consumer);
          }
          if (answer.outcome === 'acknowledged') {
            opened += 1;
            forced += answer.forced.length;
            expect(holding).toEqual(new Set(answer.forced));
          }
          for (const { consumer } of answer.outcome === 'overdue' ? answer.missing : []) {
            expect(holding).toContain(consumer);
            expect(answer.forced).not.toContain(consumer);
          }
          for (const { consumer, acknowledged, drainedAt, gone } of known(after)) {
            if (gone || acknowledged !== PUBLISHED || drainedAt === null) continue;
            expect({ consumer, waits: answer.openFrom >= drainedAt + terms.clockSkewSeconds * 1000 }).toEqual(
              {
                consumer,
                waits: true,
              },
            );
          }
        });
      }),
      { numRuns: 200 },
    );
    expect(Math.min(opened, forced)).toBeGreaterThan(20); // else the promise above is empty
  });

  it('a declaration never opens a gate that is closed without it, but by leaving its own consumer out', () => {
    fc.assert(
      fc.property(history, declarations, (all, expected) => {
        live(all, (_, after, __, now) => {
          const declared = owed(question, known(after), terms, now, expected);
          if (declared.owed !== 'answer' || declared.outcome !== 'acknowledged') return;
          if (declared.forced.length > 0) return;
          expect(owed(question, known(after), terms, now, [])).toEqual(declared);
        });
      }),
      { numRuns: 200 },
    );
  });
});
