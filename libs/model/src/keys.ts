// Keys without values: the n-th key of a slot, and its fingerprint as the production functions compare it.
import type { Fingerprint, KeySlot } from '@twinkey/contracts';

export type Versions = Readonly<Record<KeySlot, number>>;

/** A key of the account: which slot, and the how-manieth key that the slot holds. */
export interface Key {
  readonly slot: KeySlot;
  readonly version: number;
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz'.split('');
const PRINTS = {
  key1: LETTERS.map((letter) => `1${letter}` as Fingerprint),
  key2: LETTERS.map((letter) => `2${letter}` as Fingerprint),
};

export function printOf(slot: KeySlot, version: number): Fingerprint {
  const print = PRINTS[slot][version];
  if (print === undefined) throw new Error(`the model has no key ${version} of ${slot}`);
  return print;
}

export function versionOf(print: Fingerprint): number {
  return print.charCodeAt(1) - 97;
}

export function slotOf(print: Fingerprint): KeySlot {
  return print.charCodeAt(0) === 49 ? 'key1' : 'key2';
}

export function printsOf(versions: Versions): Readonly<Record<KeySlot, Fingerprint>> {
  return { key1: printOf('key1', versions.key1), key2: printOf('key2', versions.key2) };
}

/** For stories. */
export function nameOf({ slot, version }: Key): string {
  return `${slot}.${LETTERS[version] ?? version}`;
}
