import type { Asked, Rotation } from '../answers.js';
import { EXIT } from '../exit-codes.js';
import { Failure } from '../failure.js';
import { relative } from '../moments.js';
import { printList } from '../screen.js';
import { parseDuration, usageFailure } from '../settings.js';
import { table } from '../table.js';
import { ask, pathOf, type AskOptions } from './ask.js';
import { askedBy, type Session } from './session.js';

export interface ReplayOptions extends AskOptions {
  readonly failed?: boolean;
  readonly since?: string;
  readonly dryRun?: boolean;
}

/** The console lists no more at once. */
const AT_ONCE = 500;

/** What is known of one replay before it is asked for, or what came of asking. */
interface Replay {
  readonly rotation: string;
  readonly account: string;
  readonly haltedAt: string | null;
  readonly reason: string | null;
  /** null: before the first step, or not halted. */
  readonly goesOnAt: string | null;
  readonly next: string;
  /** null: it cannot be replayed. */
  readonly safe: boolean | null;
  readonly because: string;
  readonly outcome: 'would be replayed' | 'asked' | 'refused';
}

/** `twinkey replay [rotations...] [--failed] [--since] [--dry-run]` */
export async function replay(
  session: Session,
  named: readonly string[],
  options: ReplayOptions,
): Promise<void> {
  const { failed = false, since, dryRun = false, wait = false, reason } = options;
  assertClear(named, options);
  const [only] = named;
  if (only !== undefined && named.length === 1 && !dryRun) {
    await ask(session, await pathOf(session, only, 'replay'), { reason }, wait);
    return;
  }
  const rotations = failed
    ? await haltedSince(session, since === undefined ? null : momentOf(since))
    : await Promise.all(named.map((id) => theRotation(session, id)));
  const replays = dryRun
    ? rotations.map(foreseen)
    : await Promise.all(rotations.map((rotation) => askFor(session, rotation, reason)));
  show(session, replays, dryRun);
  const refused = replays.filter(({ outcome }) => outcome === 'refused');
  if (refused.length > 0) throw refusal(refused, replays.length, dryRun);
}

function assertClear(
  named: readonly string[],
  { failed = false, since, dryRun = false, wait = false }: ReplayOptions,
): void {
  if (failed === named.length > 0) {
    throw usageFailure(
      'It is not clear which rotations to replay.',
      'Give their ids, or --failed, and not both.',
      'See the ids with: twinkey rotations list --state halted',
    );
  }
  if (since !== undefined && !failed)
    throw usageFailure('--since goes with --failed only.', 'A rotation that is named needs no time.');
  if (wait && (failed || dryRun || named.length > 1))
    throw usageFailure('--wait follows a single replay.', 'Several would print over each other.');
}

async function haltedSince({ client, screen }: Session, since: number | null): Promise<Rotation[]> {
  const path = `/v1/rotations?state=halted&limit=${AT_ONCE}`;
  const { rotations } = await client.get<{ rotations: Rotation[] }>(path);
  if (rotations.length === AT_ONCE)
    screen.talk(`There may be more than these ${AT_ONCE}; ask again when they are replayed.`);
  return rotations.filter(({ halt }) => since === null || Date.parse(halt?.at ?? '') >= since);
}

/** `24h` ago, or a moment. */
function momentOf(text: string): number {
  if (/^\d{4}-\d\d-\d\d/.test(text)) {
    const moment = Date.parse(text);
    if (Number.isFinite(moment)) return moment;
    throw usageFailure(`"${text}" is no moment.`, 'A moment is written as 2026-03-02T08:00:00Z.');
  }
  return Date.now() - parseDuration(text);
}

function theRotation({ client }: Session, id: string): Promise<Rotation> {
  return client.get<Rotation>(`/v1/rotations/${encodeURIComponent(id)}`);
}

function foreseen(rotation: Rotation): Replay {
  const { halt } = rotation;
  const known = {
    rotation: rotation.id,
    account: rotation.account,
    haltedAt: halt?.at ?? null,
    reason: halt?.reason ?? null,
  };
  if (halt === null) {
    const why = WHY_NOT[rotation.state] ?? 'only a halted rotation can be replayed';
    return { ...known, goesOnAt: null, next: '-', safe: null, because: why, outcome: 'refused' };
  }
  const { goesOn } = halt;
  return {
    ...known,
    goesOnAt: goesOn?.step ?? null,
    next: goesOn?.next ?? 'It looks where it stands.',
    safe: goesOn?.safe ?? true,
    because: goesOn?.because ?? 'no key is regenerated before everyone has acknowledged the other one',
    outcome: 'would be replayed',
  };
}

const WHY_NOT: Readonly<Record<string, string>> = {
  asked: 'the rotator has not answered its request yet',
  running: 'it is running and needs no replay',
  waiting: 'it is waiting, and goes on by itself',
  completed: 'it is completed; nothing is left to do',
  refused: 'it never began',
};

async function askFor(session: Session, rotation: Rotation, reason: string | undefined): Promise<Replay> {
  const before = foreseen(rotation);
  try {
    await session.client.post<Asked>(`/v1/rotations/${rotation.id}/replay`, { by: askedBy(), reason });
    return { ...before, outcome: 'asked' };
  } catch (error) {
    // It was replayed meanwhile, say. The others are asked for all the same.
    if (!(error instanceof Failure) || error.exitCode !== EXIT.conflict) throw error;
    return { ...before, safe: null, because: error.lines.what, outcome: 'refused' };
  }
}

function show({ screen }: Session, replays: readonly Replay[], dryRun: boolean): void {
  printList(screen, replays, {
    whole: { replays },
    name: ({ rotation }) => rotation,
    table: () =>
      replays.length === 0
        ? []
        : table(
            ['ROTATION', 'ACCOUNT', 'HALTED', 'REASON', 'GOES ON AT', 'SAFE', 'WHAT'],
            replays.map((one) => [
              one.rotation,
              one.account,
              relative(one.haltedAt),
              one.reason ?? '-',
              one.goesOnAt ?? '-',
              one.safe === null ? 'refused' : one.safe ? 'yes' : 'no',
              one.safe === null ? one.because : `${one.next} (${one.because})`,
            ]),
          ),
  });
  const counted = replays.filter(({ outcome }) => outcome !== 'refused').length;
  const what = `${counted} rotation${counted === 1 ? '' : 's'}`;
  screen.talk(
    dryRun
      ? `${what} would be replayed. Nothing was changed; without --dry-run it is done.`
      : `${what}: replay asked`,
  );
}

function refusal(refused: readonly Replay[], of: number, dryRun: boolean): Failure {
  const [first] = refused;
  return new Failure(EXIT.conflict, {
    what: `${refused.length} of ${of} rotations cannot be replayed.`,
    why: refused.map(({ rotation, because }) => `${rotation}: ${because}`).join('; '),
    state: dryRun ? 'Nothing was changed.' : 'The others were asked for.',
    remedy: `See: twinkey rotations explain ${first?.rotation ?? '<rotation>'}`,
  });
}
