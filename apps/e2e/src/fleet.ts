// A small fleet for specs: the same stack as `npm start`, fewer accounts.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  accountIdOf,
  ConsoleClient,
  consumersInLedger,
  Load,
  Stack,
  waitUntil,
  Witness,
  type RotationLine,
  type SampleAccount,
  type SampleConsumer,
  type StackSettings,
} from '@twinkey/dev';

import type { Finding, History } from './history/history.js';
import { Recorder } from './history/recorder.js';

export interface FleetSettings extends Partial<Omit<StackSettings, 'folder' | 'accounts'>> {
  readonly accounts: readonly SampleAccount[];
  readonly consumers: readonly SampleConsumer[];
  /** Of each instance; 10 unless told. */
  readonly callsPerSecond?: number;
  /** The checkout that a consumer is run from, by its name. */
  readonly consumerPrograms?: Readonly<Record<string, string>>;
}

/** A text analytics account whose policy is the spec's own. */
export function textAccount(name: string, policy: string): SampleAccount {
  return {
    name,
    kind: 'TextAnalytics',
    sku: 'S0',
    location: 'westeurope',
    resourceGroup: 'ai',
    keyFormat: 'chars84',
    policy,
  } as SampleAccount;
}

export class Fleet {
  private constructor(
    readonly folder: string,
    readonly stack: Stack,
    readonly load: Load,
    readonly witness: Witness,
    readonly client: ConsoleClient,
    readonly accounts: readonly SampleAccount[],
    readonly recorder: Recorder,
  ) {}

  static async start({
    accounts,
    consumers,
    callsPerSecond = 10,
    consumerPrograms = {},
    ...settings
  }: FleetSettings): Promise<Fleet> {
    const folder = mkdtempSync(join(tmpdir(), 'twinkey-e2e-'));
    const recorder = new Recorder(folder);
    let witness: Witness | undefined;
    const stack = await Stack.start({
      wellKnownPorts: false,
      ...settings,
      env: { ...recorder.environment, ...settings.env },
      azureEnv: recorder.azureEnvironment,
      folder,
      accounts,
      beforeKeysChange: async (env) => {
        witness = await Witness.remember(
          accounts.map((account) => accountIdOf(account, env['AZURE_SUBSCRIPTION_ID'] ?? '')),
          env,
        );
        await settings.beforeKeysChange?.(env);
      },
    });
    if (witness === undefined) throw new Error('the census of keys was not taken');
    const load = new Load({
      consumers,
      endpoints: Object.fromEntries(accounts.map(({ name }) => [name, `${stack.azureOrigin}/${name}/`])),
      env: stack.environment,
      folder,
      callsPerSecond,
      programs: consumerPrograms,
    });
    load.start();
    return new Fleet(
      folder,
      stack,
      load,
      witness,
      new ConsoleClient(stack.url('console')),
      accounts,
      recorder,
    );
  }

  /** The newest rotation of each account. */
  async rotations(): Promise<Readonly<Record<string, RotationLine | undefined>>> {
    const newest: Record<string, RotationLine | undefined> = {};
    for (const rotation of await this.client.rotations()) newest[rotation.account] ??= rotation;
    return newest;
  }

  async rotation(account: string): Promise<RotationLine | undefined> {
    return (await this.rotations())[account];
  }

  async until(
    what: string,
    condition: (rotations: Readonly<Record<string, RotationLine | undefined>>) => boolean,
    withinMs = 120_000,
  ): Promise<void> {
    await waitUntil(what, async () => condition(await this.rotationsOrNone()), { withinMs, everyMs: 100 });
  }

  /** The console itself may be the service that is down. */
  private async rotationsOrNone(): Promise<Readonly<Record<string, RotationLine | undefined>>> {
    try {
      return await this.rotations();
    } catch {
      return {};
    }
  }

  async allCompleted(withinMs = 120_000): Promise<void> {
    await this.until(
      'every rotation completed',
      (rotations) => this.accounts.every(({ name }) => rotations[name]?.state === 'completed'),
      withinMs,
    );
  }

  /** What the judge of histories finds in all that happened up to now. */
  async findings(others?: Pick<History, 'halted'>): Promise<readonly Finding[]> {
    const { findings } = await this.recorder.verdict(this.stack.url('console'), this.load.counters(), others);
    return findings;
  }

  /** What both witnesses counted: the callers, and the called. */
  async refused(): Promise<{
    readonly calls: number;
    readonly seenByCallers: number;
    /** What is left of those when the calls are taken out that the library repeated with a newer key. */
    readonly notHealed: number;
    readonly seenByAzure: number;
  }> {
    const { calls, refused, healed } = this.load.counters();
    const ledger = await consumersInLedger(
      this.stack.azureOrigin,
      this.stack.environment['NODE_EXTRA_CA_CERTS'] ?? '',
    );
    return { calls, seenByCallers: refused, notHealed: refused - healed, seenByAzure: ledger.refused };
  }

  async stop(): Promise<void> {
    this.witness.dismiss();
    await this.load.stop();
    await this.stack.stop();
    // Set by whoever wants to read its logs.
    if (process.env['FLEET_KEPT'] === undefined) rmSync(this.folder, { recursive: true, force: true });
  }
}
