// Whose turn is it? A leaked key does not wait for a rotation that happens to be open, nor for one that is halted:
// that one steps back into the line with all that it has still to retire, and goes on afterwards where it stood.
//
//   requested:  nobody is being worked on → begins
//               an emergency, and no other emergency is running → goes first, the other steps back
//               an emergency, and another one is running → next in line
//   completed, halted: the next emergency that is not halted begins; after a completion also anybody else in line
import type { KeySlot, RotationId } from '@twinkey/contracts';
import type { KeyRing, OpenRotation, WaitingRotation } from './key-ring.js';

const NOTHING: WaitingRotation['retire'] = { key1: null, key2: null };

/** Lets the requested rotation begin or wait; its turn is a matter of `goesFirst`. */
export function lineUp(ring: KeyRing, requested: OpenRotation): KeyRing {
  if (ring.rotation === null) return begin(ring, { rotation: requested, retire: NOTHING });
  const newcomer = { rotation: requested, retire: NOTHING };
  if (goesFirst(ring, requested)) return begin(stepBack(ring), newcomer);
  const emergencies = ring.inLine.filter(isEmergency);
  const others = ring.inLine.filter((waiting) => !isEmergency(waiting));
  return { ...ring, inLine: [...emergencies, newcomer, ...others] };
}

/** Does this request take the place of the rotation that is being worked on? */
export function goesFirst({ rotation }: KeyRing, { scope }: Pick<OpenRotation, 'scope'>): boolean {
  return scope === 'emergency' && (rotation?.scope !== 'emergency' || rotation.halted !== null);
}

/** The next one in line begins; after a halt only an emergency does, so that a person finds things as they were. */
export function nextInLine(ring: KeyRing): KeyRing {
  const { rotation, inLine } = ring;
  const ready = inLine.find((waiting) => isEmergency(waiting) && waiting.rotation.halted === null);
  if (rotation === null) {
    const next = ready ?? inLine.find((waiting) => waiting.rotation.halted === null) ?? inLine[0];
    return next === undefined ? ring : begin(leave(ring, next), next);
  }
  if (rotation.halted === null || ready === undefined) return ring;
  return begin(stepBack(leave(ring, ready)), ready);
}

/** The ring as it would be if it were this rotation's turn, halted or not. */
export function atWork(ring: KeyRing, rotationId: RotationId): KeyRing {
  const waiting = ring.inLine.find(({ rotation }) => rotation.rotationId === rotationId);
  return waiting === undefined ? ring : begin(stepBack(leave(ring, waiting)), waiting);
}

function begin(ring: KeyRing, { rotation, retire }: WaitingRotation): KeyRing {
  const next = ring.revision + 1;
  return {
    ...ring,
    rotation,
    slots: {
      key1: { ...ring.slots.key1, retire: retire.key1 },
      key2: { ...ring.slots.key2, retire: retire.key2 },
    },
    // Whatever was listed before says nothing about the keys that it is to retire.
    keysFrom: next,
    vaultFrom: next,
    waiting: null,
  };
}

function stepBack(ring: KeyRing): KeyRing {
  if (ring.rotation === null) return ring;
  const retire = (slot: KeySlot) => ring.slots[slot].retire;
  const waiting = { rotation: ring.rotation, retire: { key1: retire('key1'), key2: retire('key2') } };
  return { ...ring, rotation: null, inLine: [waiting, ...ring.inLine] };
}

function leave(ring: KeyRing, waiting: WaitingRotation): KeyRing {
  return { ...ring, inLine: ring.inLine.filter((other) => other !== waiting) };
}

function isEmergency({ rotation }: WaitingRotation): boolean {
  return rotation.scope === 'emergency';
}
