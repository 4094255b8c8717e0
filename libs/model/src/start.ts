// The first moment: generation 1 is key2's first key, and everyone uses it; or generation 2 is just out.
import {
  decideInstance,
  evolveInstance,
  evolveSwitch,
  decideRequest,
  type KeySwitch,
} from '@twinkey/key-switch';
import { emptyRing, evolve, type KeyRing, type RingEvent } from '@twinkey/rotation';
import { OFF } from './consumer.js';
import { printOf, printsOf } from './keys.js';
import { LONG_AGO, NOW, SWITCH_TERMS } from './moments.js';
import { ACCOUNT, requestOf } from './notifier.js';
import { IDLE } from './hand.js';
import type { Scenario } from './scenario.js';
import { asGeneration, at, CONSUMERS, INSTANCES, type Process, type World } from './world.js';

const FIRST = { slot: 'key2', version: 0, generation: 1 } as const;
const SECOND = { slot: 'key1', version: 0, generation: 2 } as const;

function fold(ring: KeyRing, ...events: readonly RingEvent[]): KeyRing {
  return events.reduce(evolve, ring);
}

export function ringAtTheStart({ start }: Scenario): KeyRing {
  const asked = { rotationId: null, deadlineAt: LONG_AGO, waived: [] } as const;
  const steady = fold(
    emptyRing(ACCOUNT),
    { type: 'KeysNoted', at: LONG_AGO, keys: printsOf({ key1: 0, key2: 0 }) },
    {
      type: 'Published',
      at: LONG_AGO,
      slot: FIRST.slot,
      fingerprint: printOf(FIRST.slot, FIRST.version),
      generation: 1,
      version: 'v',
      attempt: null,
    },
    { type: 'SwitchAsked', at: LONG_AGO, generation: 1, request: 1, ...asked },
    { type: 'SwitchConfirmed', at: LONG_AGO, generation: 1, request: 1, openFrom: LONG_AGO, instances: 1 },
  );
  if (start === 'steady') return steady;
  return fold(steady, {
    type: 'Published',
    at: NOW,
    slot: SECOND.slot,
    fingerprint: printOf(SECOND.slot, SECOND.version),
    generation: 2,
    version: 'v',
    attempt: null,
  });
}

export function worldAtTheStart(scenario: Scenario): World {
  const { consumers, lateConsumer, rotators, start, budget } = scenario;
  const vault = start === 'steady' ? FIRST : SECOND;
  return {
    account: { key1: 0, key2: 0 },
    plane: { key1: 0, key2: 0 },
    lateList: { key1: 0, key2: 0 },
    vault,
    lateVault: scenario.lateVault && start === 'just-published' ? FIRST : vault,
    limbo: [],
    ring: ringAtTheStart(scenario),
    lease: 0,
    rotators: Array.from({ length: rotators }, () => IDLE),
    processes: Array.from({ length: consumers }, (_, number) =>
      lateConsumer && number === consumers - 1 ? OFF : serving(number),
    ),
    keySwitch: settled(scenario),
    questions: [],
    answers: [],
    budget,
    killedByStrangers: [],
    toRetire: [],
  };
}

function settled(scenario: Scenario): KeySwitch | null {
  const question = requestOf({ ...FIRST, request: 1, waived: [] }, { scenario });
  const numbered = { generation: asGeneration(1), request: 1, at: NOW };
  return [
    ...(decideRequest(null, question).events ?? []),
    { event: 'key-change-announced', ...numbered } as const,
    { event: 'switch-acknowledged', openFrom: LONG_AGO, ...numbered } as const,
  ].reduce<KeySwitch | null>(evolveSwitch, null);
}

function serving(number: number): Process {
  const registered = decideInstance(
    null,
    {
      command: 'register',
      instance: at(INSTANCES, number),
      consumer: at(CONSUMERS, number),
      boot: 'now',
    },
    SWITCH_TERMS,
    NOW,
  );
  const instance = (registered.events ?? []).reduce(evolveInstance, null);
  if (instance === null) throw new Error('the notifier refuses the first instance');
  return {
    ...OFF,
    at: 'serving',
    held: FIRST,
    minimum: 1,
    instance: { ...instance, acknowledged: asGeneration(1) },
  };
}
