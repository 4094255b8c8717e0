// Everything that can differ between two moments of the small world, as plain data. The rings, switches and
// instances in it are the production ones.
import type {
  ConsumerName,
  Fingerprint,
  Generation,
  InstanceId,
  KeySlot,
  RotationId,
} from '@twinkey/contracts';
import type { Instance, KeySwitch } from '@twinkey/key-switch';
import type { KeyRing, Observed } from '@twinkey/rotation';
import type { Key, Versions } from './keys.js';

/** The attempt of a call that a restored database has forgotten. */
export const FORGOTTEN = -1;

/** A call that changes something outside. */
export interface Call extends Key {
  readonly what: 'regenerate' | 'publish';
  /** 0: a regeneration. */
  readonly generation: number;
  /** The attempt under which the ring knows it. */
  readonly attempt: number;
  /** Sent by nobody's decision: an old order that was executed once more. */
  readonly stray?: boolean;
}

export interface Rotator {
  /**
   * idle ─take lease─► working ─intent─► intended ─send─► sent ─executes─► executed ─answer─► working
   * whoever dies, pauses or loses the lease is idle again; its call may still execute
   */
  readonly at: 'idle' | 'working' | 'decided' | 'intended' | 'sent' | 'executed';
  readonly call: Call | null;
  /** What an executed regeneration answers. */
  readonly after: Versions | null;
  readonly seen: Observed;
}

/** A version of the secret. */
export interface Shown extends Key {
  /** 0: written by hand, without tags. */
  readonly generation: number;
}

/** A process of a consumer, and what the notifier knows of it. */
export interface Process {
  readonly at: 'off' | 'starting' | 'serving';
  readonly held: Shown | null;
  /** The highest generation that anybody named to it. */
  readonly minimum: number;
  /** Read from the vault, not installed yet. */
  readonly read: Shown | null;
  /** A request under way, signed with this key. */
  readonly request: Shown | null;
  /** Generations that this boot said it uses; each may arrive at any time, doubled or never. */
  readonly said: number;
  /** Its heartbeats do not arrive. */
  readonly cutOff: boolean;
  /** Its lease was over while it lived: it relies on reading the vault since then. */
  readonly fenced: boolean;
  /** The deadline passed without it, or a person excused it: it may lose its key. */
  readonly abandoned: boolean;
  readonly instance: Instance | null;
  /** The registration of its earlier boot, which died without a goodbye. */
  readonly ghost: Instance | null;
  readonly ghostSaid: number;
  /** Held at the end of the earlier boot; only who starts from a cache keeps it. */
  readonly cache: Shown | null;
}

/** A question on its way to the notifier. */
export interface Asked extends Key {
  readonly generation: number;
  readonly request: number;
  readonly waived: readonly ConsumerName[];
}

/** An answer on its way to the rotators. */
export interface Answered {
  readonly generation: number;
  readonly request: number;
  readonly outcome: 'acknowledged' | 'overdue';
  readonly openFrom: number;
  readonly missing: readonly { readonly consumer: ConsumerName; readonly instance: InstanceId }[];
}

/** How often people and chance may still interfere. */
export interface Budget {
  readonly rotations: number;
  /** Reports that the key of a slot has leaked. */
  readonly leaks: number;
  readonly strangers: number;
  /** How often consumers may die; negative: without end. */
  readonly deaths: number;
  readonly handWrites: number;
  readonly halts: number;
  readonly waives: number;
  readonly restores: number;
  readonly lostAnswers: number;
}

export interface World {
  /** What Resource Manager holds. */
  readonly account: Versions;
  /** What the data plane accepts; it may lag. */
  readonly plane: Versions;
  /** What a late list shows. */
  readonly lateList: Versions;
  readonly vault: Shown;
  /** What a lagging replica of the vault shows. */
  readonly lateVault: Shown;
  /** Calls that nobody waits for any more. */
  readonly limbo: readonly Call[];
  readonly ring: KeyRing;
  /** 0: nobody's; else the number of a rotator plus one. */
  readonly lease: number;
  readonly rotators: readonly Rotator[];
  readonly processes: readonly Process[];
  readonly keySwitch: KeySwitch | null;
  readonly questions: readonly Asked[];
  readonly answers: readonly Answered[];
  readonly budget: Budget;
  /** Keys that a stranger killed: their users' grief is not ours. */
  readonly killedByStrangers: readonly Fingerprint[];
  /** What each rotation was asked to retire, in the order of the requests: the keys of that moment. */
  readonly toRetire: readonly Partial<Versions>[];
}

export const CONSUMERS = ['c0', 'c1', 'c2'] as unknown as readonly ConsumerName[];
export const INSTANCES = ['i0', 'i1', 'i2'] as unknown as readonly InstanceId[];
export const GHOSTS = ['g0', 'g1', 'g2'] as unknown as readonly InstanceId[];
export const ROTATIONS = ['r0', 'r1', 'r2', 'r3', 'r4'] as unknown as readonly RotationId[];

/** The element that must be there. */
export function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  if (item === undefined) throw new Error(`nothing at ${index} of ${items.length}`);
  return item;
}

export function replaced<Item>(items: readonly Item[], index: number, item: Item): readonly Item[] {
  const copy = items.slice();
  copy[index] = item;
  return copy;
}

export function sameKey(one: Key, other: Key): boolean {
  return one.slot === other.slot && one.version === other.version;
}

/** Whether a call signed with this key is answered. */
export function isAccepted(world: World, { slot, version }: Key): boolean {
  return world.plane[slot] === version;
}

export function numberOf(rotationId: RotationId): number {
  return ROTATIONS.indexOf(rotationId);
}

export function asGeneration(number: number): Generation {
  return number as Generation;
}

export function withVersion(versions: Versions, slot: KeySlot, version: number): Versions {
  return slot === 'key1' ? { key1: version, key2: versions.key2 } : { key1: versions.key1, key2: version };
}
