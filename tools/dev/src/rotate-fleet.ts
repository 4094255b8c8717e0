// The main job, watched: every account of the sample fleet is rotated once while its consumers keep calling.
import { setTimeout as pause } from 'node:timers/promises';
import { ConsoleClient, type AccountLine, type RotationLine } from './console-client.js';
import { accountIdOf } from './fleet-files.js';
import { consumersInLedger } from './ledger.js';
import type { LiveView } from './live-view.js';
import { Load } from './load.js';
import { SAMPLE_ACCOUNTS, SAMPLE_CONSUMERS } from './sample-fleet.js';
import { Stack, type StackSettings } from './stack.js';
import { Witness } from './witness.js';

const LOOK_EVERY_MS = 250;
const CALLS_PER_SECOND = 3;

export interface FleetReport {
  readonly accounts: number;
  readonly rotationsCompleted: number;
  readonly rotationsHalted: number;
  readonly keysReplaced: number;
  readonly oldKeys: number;
  readonly oldKeysStillAccepted: number;
  readonly instances: number;
  readonly calls: number;
  readonly refused: number;
  readonly secondsToFirstRotation: number | null;
  readonly seconds: number;
}

/** Everything that runs, and how to end it. */
export interface RunningFleet {
  readonly stack: Stack;
  readonly load: Load;
  readonly witness: Witness;
  readonly startedAt: Date;
  stop(): Promise<void>;
}

/** Starts the stack and the sample consumers. */
export async function startFleet(
  settings: Pick<StackSettings, 'folder' | 'wellKnownPorts' | 'onTrouble' | 'env'>,
): Promise<RunningFleet> {
  const startedAt = new Date();
  const { folder, onTrouble } = settings;
  const started: { witness?: Witness; load?: Load } = {};
  try {
    const stack = await Stack.start({
      ...settings,
      accounts: SAMPLE_ACCOUNTS,
      beforeKeysChange: async (env) => {
        started.witness = await Witness.remember(idsOf(env), env);
      },
      // Not earlier: on a small machine the services come up faster alone, and the scheduler is the last of them.
      onReady: (service, env) => {
        if (service !== 'scheduler') return;
        started.load = sampleLoad(env, folder, onTrouble);
        started.load.start();
      },
    });
    const { witness, load } = started;
    if (witness === undefined || load === undefined) throw new Error('the census of keys was not taken');
    const stop = async () => {
      witness.dismiss();
      await load.stop();
      await stack.stop();
    };
    return { stack, load, witness, startedAt, stop };
  } catch (error) {
    started.witness?.dismiss();
    await started.load?.stop();
    throw error;
  }
}

function sampleLoad(
  env: Readonly<Record<string, string>>,
  folder: string,
  onTrouble: StackSettings['onTrouble'],
): Load {
  const origin = env['TWINKEY_RESOURCE_MANAGER_ENDPOINT'] ?? '';
  return new Load({
    consumers: SAMPLE_CONSUMERS,
    endpoints: Object.fromEntries(SAMPLE_ACCOUNTS.map(({ name }) => [name, `${origin}/${name}/`])),
    env,
    folder,
    callsPerSecond: CALLS_PER_SECOND,
    ...(onTrouble === undefined ? {} : { onTrouble }),
  });
}

function idsOf(env: Readonly<Record<string, string>>): readonly string[] {
  return SAMPLE_ACCOUNTS.map((account) => accountIdOf(account, env['AZURE_SUBSCRIPTION_ID'] ?? ''));
}

/**
 * Watches until the latest rotation of every account has ended, and says what came of it. In a new folder the scheduler
 * finds every account due by itself; later on they have to be asked for.
 */
export async function watchFleet(
  fleet: RunningFleet,
  view: LiveView,
  { withinMs, ask }: { withinMs: number; ask: boolean },
): Promise<FleetReport> {
  const { stack, load, witness, startedAt } = fleet;
  const client = new ConsoleClient(stack.url('console'));
  const began = performance.now();
  let first: number | null = null;
  for (;;) {
    const looked = await look(client);
    if (looked === null) {
      if (performance.now() - began > withinMs) throw new Error('the console did not answer in time');
      await pause(LOOK_EVERY_MS);
      continue;
    }
    const [accounts, all] = looked;
    // One that an earlier run left halted is shown as it is; one that it left running is not ours and comes to its end.
    const rotations = latest(
      all.filter(({ requestedAt, state }) => state === 'halted' || new Date(requestedAt) >= startedAt),
    );
    for (const { name, published, rotation } of ask ? accounts : []) {
      if (published !== null && rotation === null && rotations[name] === undefined)
        await client.rotate(name, 'started again');
    }
    const ended = Object.values(rotations).filter(
      (rotation) => rotation?.state === 'completed' || rotation?.state === 'halted',
    );
    if (first === null && ended.some((rotation) => rotation?.state === 'completed'))
      first = (Date.now() - startedAt.getTime()) / 1_000;
    const { calls, refused, instances } = load.counters();
    view.show({
      accounts,
      rotations,
      footer: `  ${instances} instances made ${calls} calls, ${refused} refused`,
    });
    const done = ended.length >= SAMPLE_ACCOUNTS.length;
    if (done || performance.now() - began > withinMs)
      return report(ended, first, fleet, await witness.check());
    await pause(LOOK_EVERY_MS);
  }
}

/** Null while nobody answers: the console is one of the services that may be killed and come back at any moment. */
async function look(
  client: ConsoleClient,
): Promise<[readonly AccountLine[], readonly RotationLine[]] | null> {
  try {
    return await Promise.all([client.accounts(), client.rotations()]);
  } catch {
    return null;
  }
}

async function report(
  ended: readonly (RotationLine | undefined)[],
  secondsToFirstRotation: number | null,
  { stack, load, startedAt }: RunningFleet,
  census: { readonly keys: number; readonly stillAccepted: readonly string[] },
): Promise<FleetReport> {
  const completed = ended.filter((rotation) => rotation?.state === 'completed');
  const { calls, refused, instances } = load.counters();
  const ledger = await consumersInLedger(stack.azureOrigin, stack.environment['NODE_EXTRA_CA_CERTS'] ?? '');
  return {
    accounts: SAMPLE_ACCOUNTS.length,
    rotationsCompleted: completed.length,
    rotationsHalted: ended.length - completed.length,
    keysReplaced: completed.reduce((sum, rotation) => sum + (rotation?.keysReplaced ?? 0), 0),
    oldKeys: census.keys,
    oldKeysStillAccepted: census.stillAccepted.length,
    instances,
    calls,
    // Two witnesses, the callers and the called: the worse of the two counts.
    refused: Math.max(refused, ledger.refused),
    secondsToFirstRotation,
    seconds: (Date.now() - startedAt.getTime()) / 1_000,
  };
}

/** The API lists the newest first. */
function latest(rotations: readonly RotationLine[]): Record<string, RotationLine | undefined> {
  const result: Record<string, RotationLine | undefined> = {};
  for (const rotation of rotations) result[rotation.account] ??= rotation;
  return result;
}
