// The ground on which crashes are tried: a small fleet whose history is recorded and judged, services that obey orders
// to die, and the ways to ask for rotations while anything may be down.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  SAMPLE_POLICIES,
  waitUntil,
  type RotationLine,
  type SampleAccount,
  type SampleConsumer,
} from '@twinkey/dev';
import { AzureControl } from '../azure-control.js';
import { Fleet, textAccount, type FleetSettings } from '../fleet.js';
import { OrderedDeaths } from './ordered-deaths.js';

export interface GroundSettings extends Pick<
  FleetSettings,
  'policies' | 'env' | 'callsPerSecond' | 'program' | 'programs' | 'consumerPrograms'
> {
  readonly accounts: readonly string[];
  readonly policy?: string;
  readonly consumers?: readonly SampleConsumer[];
  /** How long the first publications and calls may take; a minute unless told. */
  readonly startWithinMs?: number;
}

/** The newest rotation of each account at some moment, by id. */
export type Newest = Readonly<Record<string, string | undefined>>;

export class Ground {
  private constructor(
    readonly fleet: Fleet,
    readonly azure: AzureControl,
    readonly deaths: OrderedDeaths,
    readonly names: readonly string[],
  ) {}

  /** All accounts have a publication, and their first rotation behind them where the policy wants one. */
  static async start({
    accounts: names,
    policy = 'standard',
    startWithinMs,
    ...settings
  }: GroundSettings): Promise<Ground> {
    const deaths = new OrderedDeaths(mkdtempSync(join(tmpdir(), 'twinkey-crashes-')));
    const accounts: readonly SampleAccount[] = names.map((name) => textAccount(name, policy));
    const fleet = await Fleet.start({
      consumers: [{ consumer: 'reader', instances: 2, accounts: names }],
      policies: SAMPLE_POLICIES,
      program: 'dist',
      ...settings,
      accounts,
      env: { ...deaths.environment, ...settings.env },
    });
    const { stack } = fleet;
    const azure = new AzureControl(stack.azureOrigin, stack.environment['NODE_EXTRA_CA_CERTS'] ?? '');
    const ground = new Ground(fleet, azure, deaths, names);
    try {
      if (policy === 'standard') await fleet.allCompleted();
      else await ground.untilPublished(startWithinMs);
    } catch (error) {
      await ground.stop();
      throw error;
    }
    return ground;
  }

  async stop(): Promise<void> {
    await this.fleet.stop();
    rmSync(this.deaths.folder, { recursive: true, force: true });
  }

  /** Asks for a rotation of each account, however long the console takes to answer; what was newest before. */
  async askForAll(reason: string, names = this.names): Promise<Newest> {
    const before = await this.fleet.rotations();
    const newest = Object.fromEntries(names.map((name) => [name, before[name]?.id]));
    this.fleet.recorder.note(reason);
    for (const name of names) await this.#ask(name, newest[name], reason);
    return newest;
  }

  /** A newer rotation than before has got as far. */
  async untilAll(state: string, before: Newest, withinMs = 120_000): Promise<void> {
    const names = Object.keys(before);
    let last: Readonly<Record<string, RotationLine | undefined>> = {};
    try {
      await this.fleet.until(
        `newer rotations of ${names.join(', ')} are ${state}`,
        (now) => {
          last = now;
          return names.every((name) => now[name]?.id !== before[name] && now[name]?.state === state);
        },
        withinMs,
      );
    } catch (cause) {
      const shown = names.map((name) => {
        const { id = 'none', state: is = '', step = null } = last[name] ?? {};
        return `${name}: ${id} ${is} ${step ?? ''}${id === before[name] ? ' (the one of before)' : ''}`;
      });
      throw new Error(`${cause instanceof Error ? cause.message : String(cause)}; ${shown.join(', ')}`, {
        cause,
      });
    }
  }

  /** A newer rotation than before of one of the accounts has begun this step. */
  async untilOneIsAt(step: string, before: Newest): Promise<void> {
    await this.fleet.until(`one of them is at ${step}`, (now) =>
      Object.keys(before).some((name) => now[name]?.id !== before[name] && now[name]?.step === step),
    );
  }

  async untilPublished(withinMs = 60_000): Promise<void> {
    const { client, load } = this.fleet;
    const published = async () => {
      const accounts = await client.accounts();
      return accounts.filter((account) => account.published !== null).length === this.names.length;
    };
    await waitUntil('every account has a publication', published, { withinMs });
    await waitUntil('consumers call', () => load.counters().calls > 10, { withinMs });
  }

  /** The console may die while it is asked: then nobody knows whether it took the request, and one looks. */
  async #ask(name: string, before: string | undefined, reason: string): Promise<void> {
    await waitUntil(
      `a rotation of ${name} is asked for`,
      async () => {
        try {
          await this.fleet.client.rotate(name, reason);
          return true;
        } catch {
          const newest = await this.fleet.rotation(name).catch(() => undefined);
          return newest !== undefined && newest.id !== before;
        }
      },
      { withinMs: 60_000 },
    );
  }
}
