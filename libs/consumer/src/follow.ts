// What an instance does with what it hears and reads about one account. Pure: the rules of the protocol are here
// and nowhere else in this library.
//
//   heard(generation) ──► behind? ──► read Key Vault ──► install | keep | read again
import type { Generation } from '@twinkey/contracts';

/** How far an instance has come with one account. */
export interface Followed {
  /** The generation in use; 0: none. */
  readonly installed: Generation;
  /** The highest generation anybody named. Nothing older is installed. */
  readonly minimum: Generation;
}

/** A secret version as it was read. `foreign`: it does not carry our generation, or names another account. */
export type Version =
  | { readonly kind: 'published'; readonly generation: Generation }
  | { readonly kind: 'foreign' }
  | { readonly kind: 'unreadable'; readonly why: 'missing' | 'disabled' };

/** An announcement, a register answer or a heartbeat answer names a generation. They come doubled, late and in any order. */
export function hear(followed: Followed, generation: Generation): Followed {
  return generation > followed.minimum ? { ...followed, minimum: generation } : followed;
}

/** Somebody named a generation that is not in use here: Key Vault has to be read. */
export function isBehind({ installed, minimum }: Followed): boolean {
  return installed < minimum;
}

/**
 * Only a version that says which generation it is may be installed, only a higher one, and none below the minimum: a
 * lagging replica of the vault hands out keys that are about to die, and a version written by hand may hold the
 * very key that is regenerated next.
 */
export function judge(followed: Followed, version: Version): 'install' | 'keep' | 'read-again' {
  if (version.kind === 'published') {
    const { generation } = version;
    if (generation > followed.installed && generation >= followed.minimum) return 'install';
  }
  return isBehind(followed) ? 'read-again' : 'keep';
}

export function install(followed: Followed, generation: Generation): Followed {
  return { installed: generation, minimum: generation > followed.minimum ? generation : followed.minimum };
}
