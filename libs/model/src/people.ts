// What people do: ask for rotations, halt, replay, excuse a consumer, and what strangers do in the portal.
import { otherSlot } from '@twinkey/contracts';
import { decideCommand, decideRequest, newIncarnation, type Decision } from '@twinkey/rotation';
import { replaceKey } from './azure.js';
import { nameOf, printOf } from './keys.js';
import { NOW } from './moments.js';
import { TROUBLE, type Emit, type Model } from './moves.js';
import { ACCOUNT } from './notifier.js';
import { record } from './record.js';
import { IDLE } from './hand.js';
import { worldAtTheStart } from './start.js';
import { at, CONSUMERS, FORGOTTEN, ROTATIONS, type Budget, type Call, type World } from './world.js';

export function peopleMoves(world: World, model: Model, emit: Emit): void {
  request(world, model, emit);
  commands(world, emit);
  strangers(world, model, emit);
  if (world.budget.restores > 0) restore(world, model, emit);
}

function spent({ budget }: World, what: keyof Budget): Budget {
  return { ...budget, [what]: budget[what] - 1 };
}

function accepted(world: World, decision: Decision): World | null {
  return decision.accepted ? record(world, ...decision.events) : null;
}

function request(world: World, { scenario }: Model, emit: Emit): void {
  const { budget, account } = world;
  const rotationId = at(ROTATIONS, world.toRetire.length);
  const ask = (what: 'rotations' | 'leaks', leaked: 'key1' | 'key2' | null) => {
    if (budget[what] === 0) return;
    const scope = leaked === null ? 'both' : 'emergency';
    const slot = leaked === null ? {} : { slot: leaked };
    const decision = decideRequest(world.ring, { rotationId, by: 'ana', reason: '', scope, ...slot }, NOW);
    const after = accepted(world, decision);
    if (after === null) return;
    const toRetire = leaked === null ? account : { [leaked]: account[leaked] };
    emit(
      () => (leaked === null ? 'a rotation is asked for' : `the key of ${leaked} has leaked: an emergency`),
      {
        ...after,
        toRetire: [...world.toRetire, toRetire],
        budget: spent(world, what),
      },
    );
  };
  ask('rotations', null);
  if (scenario.budget.leaks > 0) {
    ask('leaks', 'key1');
    ask('leaks', 'key2');
  }
}

function commands(world: World, emit: Emit): void {
  const { rotation } = world.ring;
  if (rotation === null) return;
  const { rotationId } = rotation;
  const common = { rotationId, account: ACCOUNT, by: 'ana' };
  if (rotation.halted !== null) {
    const after = accepted(world, decideCommand(world.ring, { command: 'replay', ...common }, NOW));
    if (after !== null) emit(() => 'a person replays the halted rotation', after);
  } else if (world.budget.halts > 0) {
    const after = accepted(world, decideCommand(world.ring, { command: 'halt', ...common }, NOW));
    if (after !== null)
      emit(() => 'a person halts the rotation', { ...after, budget: spent(world, 'halts') }, TROUBLE);
  }
  if (world.budget.waives > 0) {
    const consumer = at(CONSUMERS, 0);
    const command = { command: 'waive', ...common, consumer, reason: 'gone' } as const;
    const after = accepted(world, decideCommand(world.ring, command, NOW));
    if (after !== null)
      emit(() => 'a person excuses the first consumer', { ...after, budget: spent(world, 'waives') });
  }
}

function strangers(world: World, model: Model, emit: Emit): void {
  const { budget, account, vault } = world;
  if (budget.strangers > 0) {
    for (const slot of ['key1', 'key2'] as const) {
      const version = account[slot];
      const after = replaceKey(world, slot, model);
      emit(
        () => `a stranger regenerates ${slot} in the portal: ${nameOf({ slot, version })} is dead`,
        {
          ...after,
          killedByStrangers: [...world.killedByStrangers, printOf(slot, version)].sort(),
          budget: spent(world, 'strangers'),
        },
        TROUBLE,
      );
    }
  }
  if (budget.handWrites > 0 && vault.generation > 0) {
    const slot = otherSlot(vault.slot);
    const shown = { slot, version: account[slot], generation: 0 };
    emit(
      () => `a stranger writes ${nameOf(shown)} into the secret by hand`,
      {
        ...world,
        vault: shown,
        lateVault: model.scenario.lateVault ? vault : shown,
        budget: spent(world, 'handWrites'),
      },
      TROUBLE,
    );
  }
}

/**
 * The databases are restored from a backup that is as old as the model's first moment, while nobody works: what was
 * decided and called since is forgotten, and so is who registered. The rotators' shell notices, and says so.
 */
function restore(world: World, model: Model, emit: Emit): void {
  const start = worldAtTheStart(model.scenario);
  const forgotten = (call: Call): Call => ({ ...call, attempt: FORGOTTEN });
  const underWay = world.rotators.flatMap(({ at: doing, call }) =>
    doing === 'sent' && call !== null ? [forgotten(call)] : [],
  );
  const restored = {
    ...world,
    ring: start.ring,
    keySwitch: start.keySwitch,
    lease: 0,
    limbo: [...world.limbo.map(forgotten), ...underWay],
    rotators: world.rotators.map(() => IDLE),
    processes: world.processes.map((process) => ({ ...process, instance: null, ghost: null, ghostSaid: 0 })),
    questions: [],
    answers: [],
    toRetire: [],
    budget: spent(world, 'restores'),
  };
  const event = newIncarnation(start.ring, { incarnation: 1, cause: '' }, model.terms, NOW);
  const after = model.rules.restoredBeginsAnew ? record(restored, event) : restored;
  emit(() => 'the databases are restored from an old backup', after, TROUBLE);
}
