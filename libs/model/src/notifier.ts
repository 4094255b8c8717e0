// The notifier: the production decisions about instances and switches, with the post in between.
import type { AccountId, SwitchOutcome, SwitchRequested } from '@twinkey/contracts';
import {
  decideInstance,
  decideRequest,
  evolveInstance,
  evolveSwitch,
  owed,
  type Instance,
  type InstanceCommand,
  type KeySwitch,
  type Missing,
  type SwitchEvent,
  type Terms,
} from '@twinkey/key-switch';
import { decideOutcome } from '@twinkey/rotation';
import { printOf } from './keys.js';
import { NOW, PLAN_TERMS, roundedUp, spelled, SWITCH_TERMS } from './moments.js';
import type { Emit, Model } from './moves.js';
import { record } from './record.js';
import { asGeneration, type Answered, type Asked, type World } from './world.js';

export const ACCOUNT = 'account' as AccountId;
const SECRET = { vaultUrl: 'https://vault.example', name: 'speech' };
const MOST_ANSWERS = 2;
/** Declared consumers are not in this world. */
const NOBODY_DECLARED = [] as const;

export function notifierMoves(world: World, model: Model, emit: Emit): void {
  world.questions.forEach((question, index) => {
    take(world, question, index, model, emit);
  });
  look(world, model, emit);
  world.answers.forEach((answer, index) => {
    deliver(world, answer, index, model, emit);
  });
}

export function commandInstance(
  instance: Instance | null,
  command: InstanceCommand,
  terms: Terms = SWITCH_TERMS,
): Instance | null {
  const { events } = decideInstance(instance, command, terms, NOW);
  return events === undefined ? instance : events.reduce(evolveInstance, instance);
}

/** Handled messages may come again; then they stay where they are. */
function rest<Message>(messages: readonly Message[], index: number, { scenario }: Model): readonly Message[] {
  return scenario.doubled ? messages : messages.filter((_, other) => other !== index);
}

function take(world: World, question: Asked, index: number, model: Model, emit: Emit): void {
  const decision = decideRequest(world.keySwitch, requestOf(question, model));
  const questions = rest(world.questions, index, model);
  if (decision.events === undefined && questions === world.questions) return;
  const keySwitch = (decision.events ?? []).reduce(evolveSwitch, world.keySwitch);
  const { generation, request } = question;
  emit(
    () =>
      `the notifier takes request ${request} about generation ${generation}${decision.refused === undefined ? '' : `: ${decision.refused}`}`,
    { ...world, questions, keySwitch },
  );
}

export function requestOf(
  { slot, version, generation, request, waived }: Asked,
  { scenario }: Pick<Model, 'scenario'>,
): SwitchRequested {
  return {
    account: ACCOUNT,
    generation: asGeneration(generation),
    request,
    slot,
    fingerprint: printOf(slot, version),
    secret: SECRET,
    publishedAt: spelled(NOW),
    deadlineAt: spelled(PLAN_TERMS.acknowledgeWithinMs),
    drainSeconds: PLAN_TERMS.drainMs / 1_000,
    withoutConsumers: scenario.withoutConsumers,
    waived: [...waived],
  };
}

/** Does all that is owed, in one transaction, as the notifier's looks do. */
function look(world: World, model: Model, emit: Emit): void {
  const { rules } = model;
  const instances = known(world, model);
  const terms = rules.lapsedHaveTimeToReread ? SWITCH_TERMS : { ...SWITCH_TERMS, rereadSeconds: 0 };
  let keySwitch = world.keySwitch;
  let { answers } = world;
  const told: string[] = [];
  for (;;) {
    const judged = keySwitch === null || rules.waivesByName ? keySwitch : waivesAll(keySwitch);
    const next = owed(judged, instances, terms, NOW, NOBODY_DECLARED);
    if (next.owed === 'nothing' || keySwitch === null) break;
    const { generation, request } = keySwitch;
    const numbered = { generation, request, at: NOW };
    let event: SwitchEvent;
    if (next.owed === 'announcement') {
      event = { event: 'key-change-announced', ...numbered };
      told.push(`announces generation ${generation}`);
    } else {
      const overdue = next.outcome === 'overdue';
      const openFrom = overdue ? NOW : next.openFrom;
      event = overdue
        ? { event: 'switch-overdue', ...numbered, missing: next.missing.length }
        : { event: 'switch-acknowledged', ...numbered, openFrom };
      const answer: Answered = {
        generation,
        request,
        outcome: next.outcome,
        openFrom: roundedUp(openFrom),
        missing: overdue ? namesOf(next.missing) : [],
      };
      answers = [...answers, answer].slice(-MOST_ANSWERS);
      told.push(`answers: generation ${generation} is ${next.outcome}`);
    }
    keySwitch = evolveSwitch(keySwitch, event);
  }
  if (told.length === 0) return;
  emit(() => `the notifier ${told.join(' and ')}`, { ...world, keySwitch, answers });
}

function namesOf(missing: readonly Missing[]): Answered['missing'] {
  return missing.flatMap(({ consumer, instance }) =>
    instance === undefined ? [] : [{ consumer, instance }],
  );
}

function waivesAll(keySwitch: KeySwitch): KeySwitch {
  return keySwitch.waived.length === 0
    ? keySwitch
    : { ...keySwitch, waived: ['c0', 'c1', 'c2'] as unknown as KeySwitch['waived'] };
}

function known({ processes, keySwitch }: World, { rules }: Model): readonly Instance[] {
  const instances: Instance[] = [];
  for (const { instance, ghost } of processes) {
    if (instance !== null) instances.push(instance);
    if (ghost !== null) instances.push(ghost);
  }
  if (!rules.lapsedStillCount) return instances.filter(({ leaseUntil }) => leaseUntil > NOW);
  if (!rules.onlyTheExactGenerationCounts) {
    const generation = keySwitch?.generation ?? asGeneration(0);
    return instances.map((instance) =>
      instance.acknowledged > 0 && instance.acknowledged >= generation - 1
        ? { ...instance, acknowledged: generation }
        : instance,
    );
  }
  if (rules.everyInstanceAcknowledges) return instances;
  const done = instances.filter(({ acknowledged }) => acknowledged === keySwitch?.generation);
  return done.length > 0 ? done : instances;
}

function deliver(world: World, answer: Answered, index: number, model: Model, emit: Emit): void {
  const { rules } = model;
  const answers = rest(world.answers, index, model);
  const { asked, published } = world.ring;
  const meant =
    rules.outcomeAnswersTheQuestion || asked === null || published === null
      ? answer
      : { ...answer, generation: published.generation, request: asked.request };
  const decision = decideOutcome(world.ring, outcomeOf(meant), NOW);
  const after = decision.accepted ? record(world, ...decision.events) : world;
  if (world.budget.lostAnswers > 0)
    emit(
      () => `the notifier's answer about generation ${answer.generation} is lost`,
      {
        ...world,
        answers: world.answers.filter((_, other) => other !== index),
        budget: { ...world.budget, lostAnswers: world.budget.lostAnswers - 1 },
      },
      { trouble: true },
    );
  if (!decision.accepted && answers === world.answers) return;
  emit(
    () =>
      `the ring hears that generation ${answer.generation} (request ${answer.request}) is ${answer.outcome}${decision.accepted ? '' : ': late'}`,
    { ...after, answers },
  );
}

function outcomeOf({ generation, request, outcome, openFrom, missing }: Answered): SwitchOutcome {
  return {
    account: ACCOUNT,
    generation: asGeneration(generation),
    request,
    outcome,
    at: spelled(NOW),
    ...(outcome === 'acknowledged' ? { openFrom: spelled(openFrom) } : {}),
    instances: 1,
    waived: [],
    missing: missing.map(({ consumer, instance }) => ({ consumer, instance, generation: asGeneration(0) })),
  };
}
