// What a rotator sees outside: lists, the vault, the data plane; late ones too.
import {
  inspect as inspectRing,
  NOTHING_SEEN,
  type Next,
  type Observed,
  type SeenVault,
} from '@twinkey/rotation';
import type { Hand } from './hand.js';
import { nameOf, printOf, printsOf, versionOf, type Versions } from './keys.js';
import { LONG_AGO, NOW } from './moments.js';
import { TROUBLE, type Model } from './moves.js';
import { record } from './record.js';
import { isAccepted, type World } from './world.js';

export function list(hand: Hand, seen: Observed): void {
  const { world } = hand;
  const look = (versions: Versions): World =>
    hand.with({
      seen: { ...seen, keys: { fingerprints: printsOf(versions), revision: world.ring.revision, at: NOW } },
    });
  const tell = (versions: Versions) =>
    `${nameOf({ slot: 'key1', version: versions.key1 })} and ${nameOf({ slot: 'key2', version: versions.key2 })}`;
  hand.emit(() => `${hand.name} lists the keys: ${tell(world.account)}`, look(world.account));
  const { lateList, account } = world;
  if (lateList.key1 !== account.key1 || lateList.key2 !== account.key2)
    hand.emit(() => `${hand.name} gets a late list: ${tell(lateList)}`, look(lateList), TROUBLE);
}

export function read(hand: Hand, seen: Observed): void {
  const { world } = hand;
  const look = (shown: World['vault']): World =>
    hand.with({
      seen: { ...seen, vault: { current: shownAs(shown), revision: world.ring.revision, at: NOW } },
    });
  const tell = (shown: World['vault']) =>
    shown.generation === 0 ? `${nameOf(shown)}, by hand` : `${nameOf(shown)}, generation ${shown.generation}`;
  hand.emit(() => `${hand.name} reads the vault: ${tell(world.vault)}`, look(world.vault));
  if (world.lateVault !== world.vault)
    hand.emit(
      () => `${hand.name} reads a lagging replica of the vault: ${tell(world.lateVault)}`,
      look(world.lateVault),
      TROUBLE,
    );
}

export function probe(
  hand: Hand,
  next: Extract<Next, { do: 'probe' | 'prove-retired' }>,
  seen: Observed,
): void {
  const { world, model } = hand;
  const { slot, fingerprint } = next;
  const key = { slot, version: versionOf(fingerprint) };
  const accepted = isAccepted(world, key);
  const verdict = accepted ? 'accepted' : 'refused';
  const kind = next.do === 'probe' ? 'probes' : 'proofs';
  const tries = (seen[kind][fingerprint]?.tries ?? 0) + 1;
  const answer = { verdict, tries, at: LONG_AGO } as const;
  const told = { ...seen, [kind]: { ...seen[kind], [fingerprint]: answer } };
  // One that disagrees is asked again after a pause, with the lease let go.
  const disagrees = accepted !== (next.do === 'probe') && model.scenario.probeTries > 1;
  hand.emit(
    () => `${hand.name} asks the data plane about ${nameOf(key)}: ${verdict}`,
    disagrees ? hand.ended(seen) : hand.with({ seen: told }),
  );
  // Whether the hold still knows the value depends on when it began; both are possible.
  if (next.do === 'prove-retired' && !seen.forgotten.includes(fingerprint))
    hand.emit(
      () => `${hand.name} never knew the value of ${nameOf(key)}`,
      hand.with({ seen: { ...seen, forgotten: [...seen.forgotten, fingerprint] } }),
    );
}

export function inspect(hand: Hand): void {
  const { world, model } = hand;
  if (!mayChangeAtRest(model) || !model.rules.looksAtRest) return;
  let seen = NOTHING_SEEN;
  for (;;) {
    const next = inspectRing(world.ring, seen, NOW);
    if (next.do === 'read-vault') {
      const current = shownAs(world.vault);
      seen = { ...seen, vault: { current, revision: world.ring.revision, at: NOW } };
    } else if (next.do === 'probe') {
      const verdict = isAccepted(world, { slot: next.slot, version: versionOf(next.fingerprint) })
        ? 'accepted'
        : 'refused';
      seen = { ...seen, probes: { [next.fingerprint]: { verdict, tries: 1, at: NOW } } };
    } else {
      if (next.do !== 'record') return;
      const { event } = next;
      hand.emit(
        () => `${hand.name} looks at the account at rest: it is not as it was left`,
        record(world, event),
      );
      return;
    }
  }
}

/** Where nothing can change an account at rest, a look at it finds nothing. */
function mayChangeAtRest({ scenario, rules }: Model): boolean {
  const { strangers, handWrites, restores } = scenario.budget;
  const interfered = strangers + handWrites + restores > 0;
  return interfered || scenario.limboOutlivesQuiescence || !rules.sendingNeedsTheLease;
}

function shownAs({ slot, version, generation }: World['vault']): SeenVault['current'] {
  const fingerprint = printOf(slot, version);
  return generation === 0
    ? { is: 'untagged', fingerprint, version: 'v' }
    : { is: 'ours', slot, fingerprint, generation, version: 'v' };
}

export function agedOf(seen: Observed): Observed {
  const { keys, vault } = seen;
  if ((keys === null || keys.at === LONG_AGO) && (vault === null || vault.at === LONG_AGO)) return seen;
  return {
    ...seen,
    keys: keys && { ...keys, at: LONG_AGO },
    vault: vault && { ...vault, at: LONG_AGO },
  };
}
