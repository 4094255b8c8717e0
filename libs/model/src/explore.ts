// Breadth first through every state that can be reached, so the first breach found is a shortest one. Worlds are kept
// only until they are expanded; a story is told by going its way again.
import { azureMoves } from './azure.js';
import { planUnder } from './bend.js';
import { consumerMoves } from './consumer.js';
import { breachIn, isComplete } from './invariants.js';
import { PLAN_TERMS } from './moments.js';
import type { Breach, Emit, Invariant, Model } from './moves.js';
import { normalised } from './normalise.js';
import { notifierMoves } from './notifier.js';
import { Parts } from './parts.js';
import { peopleMoves } from './people.js';
import { rotatorMoves } from './rotator.js';
import { EVERY_RULE, type Rules } from './rules.js';
import type { Scenario } from './scenario.js';
import { longer, SeenStates } from './seen-states.js';
import { worldAtTheStart } from './start.js';
import { timeMoves } from './time.js';
import { unfinished } from './unfinished.js';
import type { World } from './world.js';

export interface Found {
  readonly scenario: string;
  readonly states: number;
  readonly edges: number;
  readonly depth: number;
  readonly seconds: number;
  /** Every reachable state was met. */
  readonly exhaustive: boolean;
  /** States at the model's bounds, which were not expanded. */
  readonly bounded: number;
  readonly complete: number;
  readonly breach: Breach | null;
  /** How it comes to the breach, one line per move. */
  readonly story: readonly string[];
}

export interface Limits {
  readonly mostStates?: number;
  /** Whether completion must be reachable from every state. */
  readonly completion?: boolean;
  /** Invariants that are known not to hold in this world: the search goes on behind a breach of them. */
  readonly givenUp?: readonly Invariant[];
}

export function modelOf(scenario: Scenario, rules: Rules = EVERY_RULE): Model {
  const { onOverdue, probeTries } = scenario;
  const terms = { ...PLAN_TERMS, onOverdue, probeTries };
  return { scenario, rules, terms, plan: planUnder(rules, terms) };
}

/** Every move that is possible now, always in the same order. */
export function moves(world: World, model: Model, emit: Emit): void {
  rotatorMoves(world, model, emit);
  azureMoves(world, model, emit);
  notifierMoves(world, model, emit);
  consumerMoves(world, model, emit);
  timeMoves(world, model, emit);
  peopleMoves(world, model, emit);
}

export function explore(
  asked: Model,
  { mostStates = 80_000_000, completion = true, givenUp = [] }: Limits = {},
): Found {
  const parts = new Parts();
  const model = { ...asked, plan: parts.remembered(asked.plan) };
  const { scenario } = model;
  const begun = performance.now();
  const seen = new SeenStates();
  const tree = new Tree();
  const graph = new Graph();
  const first = parts.known(normalised(worldAtTheStart(scenario), null, model));
  seen.number(parts.wordsOf(first));
  tree.add(-1, 0);
  let layer: World[] = [first];
  let next: World[] = [];
  const finished = new Flags();
  let expanded = 0;
  let depth = 0;
  let bounded = 0;
  const worst: { breach: Breach | null; story: readonly string[] } = {
    breach: breachIn(first, givenUp),
    story: [],
  };

  while (layer.length > 0 && worst.breach === null && seen.size < mostStates) {
    for (const world of layer) {
      const from = expanded;
      expanded += 1;
      if (isComplete(world)) finished.set(from);
      if (isAtTheBounds(world, scenario)) {
        bounded += 1;
        finished.set(from);
        continue;
      }
      let ordinal = -1;
      moves(world, model, (_, after, more) => {
        ordinal += 1;
        if (hasFound(worst)) return;
        const reached = normalised(after, world, model);
        const known = seen.size;
        const to = seen.number(parts.wordsOf(reached));
        if (completion && to !== from && more?.trouble !== true) graph.add(from, to);
        else graph.count();
        let wrong = more?.breach ?? null;
        if (wrong !== null && givenUp.includes(wrong.invariant)) wrong = null;
        if (seen.size > known) {
          tree.add(from, ordinal);
          next.push(parts.known(reached));
          wrong ??= breachIn(reached, givenUp);
        }
        if (wrong !== null) {
          worst.breach = wrong;
          worst.story = tell(model, [...tree.wayTo(from), ordinal]);
        }
      });
      if (hasFound(worst)) break;
    }
    layer = next;
    next = [];
    if (layer.length > 0) depth += 1;
  }

  const exhaustive = layer.length === 0 && worst.breach === null;
  if (exhaustive && completion) {
    const stuck = unfinished(graph, seen.size, finished);
    if (stuck.count > 0) {
      worst.breach = { invariant: 'I10', detail: `from ${stuck.count} states nothing leads to completion` };
      worst.story = tell(model, tree.wayTo(stuck.first));
    }
  }
  return {
    scenario: scenario.name,
    states: seen.size,
    edges: graph.edges,
    depth,
    seconds: (performance.now() - begun) / 1_000,
    exhaustive,
    bounded,
    complete: finished.count,
    ...worst,
  };
}

function isAtTheBounds({ account, ring, vault }: World, { mostKeys, mostGenerations }: Scenario): boolean {
  return (
    account.key1 >= mostKeys ||
    account.key2 >= mostKeys ||
    ring.highestGeneration >= mostGenerations ||
    vault.generation >= mostGenerations
  );
}

/** A call, because the compiler does not expect it to change within the moves of one world. */
function hasFound({ breach }: { readonly breach: Breach | null }): boolean {
  return breach !== null;
}

/** Goes the way again, move by move. */
export function tell(model: Model, way: readonly number[]): readonly string[] {
  const lines: string[] = [];
  let world = normalised(worldAtTheStart(model.scenario), null, model);
  for (const chosen of way) {
    let ordinal = -1;
    const following: { world: World | null } = { world: null };
    moves(world, model, (say, after) => {
      ordinal += 1;
      if (ordinal !== chosen) return;
      lines.push(say());
      following.world = after;
    });
    if (following.world === null) throw new Error('a way that was gone before cannot be gone again');
    world = normalised(following.world, world, model);
  }
  return lines;
}

/** From where, and by which of its moves, each state was met first. */
class Tree {
  #parents = new Int32Array(2 ** 16);
  #ordinals = new Uint8Array(2 ** 16);
  #size = 0;

  add(parent: number, ordinal: number): void {
    if (this.#size === this.#parents.length) {
      this.#parents = longer(this.#parents);
      this.#ordinals = longer(this.#ordinals);
    }
    this.#parents[this.#size] = parent;
    this.#ordinals[this.#size] = ordinal;
    this.#size += 1;
  }

  wayTo(state: number): readonly number[] {
    const way: number[] = [];
    for (let at = state; at > 0; at = this.#parents[at] ?? 0) way.push(this.#ordinals[at] ?? 0);
    return way.reverse();
  }
}

/** The moves that somebody may count on, for the search backwards. */
export class Graph {
  from = new Int32Array(2 ** 18);
  to = new Int32Array(2 ** 18);
  size = 0;
  edges = 0;

  add(from: number, to: number): void {
    this.count();
    if (this.size === this.from.length) {
      this.from = longer(this.from);
      this.to = longer(this.to);
    }
    this.from[this.size] = from;
    this.to[this.size] = to;
    this.size += 1;
  }

  count(): void {
    this.edges += 1;
  }
}

export class Flags {
  #flags = new Uint8Array(2 ** 16);
  count = 0;

  set(index: number): void {
    while (index >= this.#flags.length) this.#flags = longer(this.#flags);
    if (this.#flags[index] === 0) this.count += 1;
    this.#flags[index] = 1;
  }

  has(index: number): boolean {
    return this.#flags[index] === 1;
  }
}
