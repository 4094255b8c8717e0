// Rotators as they are composed in production, with short times, and a notifier whose consumers always follow.
import { setTimeout as delay } from 'node:timers/promises';
import {
  AccountId,
  ConsumerName,
  generation,
  GenerationAhead,
  InstanceId,
  readMessage,
  RegistryEvent,
  RotationCommand,
  RotationEvent,
  RotationId,
  SwitchOutcome,
  SwitchRequested,
  writeMessage,
  type AccountSettings,
} from '@twinkey/contracts';
import { migrate, openDatabase, readJournal, Writer, type Database } from '@twinkey/journal';
import { AccountKeys, SecretShelf, SecretText } from '@twinkey/key-store';
import type { KeyRing, RingEvent } from '@twinkey/rotation';
import { PrometheusMetrics } from '@twinkey/service';
import { sql } from 'kysely';
import { Accounts } from '../accounts.js';
import { Advance, type InstallationTerms } from '../advance.js';
import { AzureEvents } from '../azure-events.js';
import { measureTold } from '../measure-told.js';
import { Incarnations } from '../incarnations.js';
import { Inputs } from '../inputs.js';
import { OnGenerationAhead } from '../on-generation-ahead.js';
import { KeyRings } from '../key-rings.js';
import { measuredAzure } from '../measured-azure.js';
import { OnRegistryEvent } from '../on-registry-event.js';
import { OnRotationCommand } from '../on-rotation-command.js';
import { OnSwitchOutcome } from '../on-switch-outcome.js';
import { keyRingReading } from '../readings.js';
import { Turns } from '../turns.js';

export const TIMES = { leaseMs: 4_000, callDeadlineMs: 1_000 };
export const TERMS: InstallationTerms = {
  quiescenceMs: 1_200,
  callDeadlineMs: TIMES.callDeadlineMs,
  probeTries: 25,
  probePauseMs: 50,
  outcomePatienceMs: 5_000,
};

type Credential = ConstructorParameters<typeof AccountKeys>[0]['credential'];

export interface CareSettings {
  readonly origin: string;
  readonly vaultUrl: string;
  readonly subscriptionId: string;
  readonly ca: string;
  readonly credential: Credential;
  readonly databaseUrl: string;
  readonly times: typeof TIMES;
}

/** What PostgreSQL says of itself; a spec restores a backup by saying otherwise. */
export const life = { system: 'a cluster of the spec', timeline: '00000001' };

/** What the journal keeps of one ring event. */
export type Journalled = {
  [Type in RingEvent['type']]: Extract<RingEvent, { type: Type }>;
}[RingEvent['type']];

/** One rotator process, but for the bus: messages are handed to its handlers. */
export class Rotator {
  readonly turns = new Turns(4);
  readonly advance: Advance;
  readonly commands: OnRotationCommand;
  readonly registry: OnRegistryEvent;
  readonly outcomes: OnSwitchOutcome;
  readonly ahead: OnGenerationAhead;
  readonly rings: KeyRings;
  readonly incarnations: Incarnations;
  readonly azureEvents: AzureEvents;
  readonly complaints: string[] = [];
  readonly metrics = new PrometheusMetrics('rotator');
  readonly #writer: Writer;

  private constructor(
    holder: string,
    readonly database: Database,
    { origin, ca, credential, times }: CareSettings,
  ) {
    const clock = () => new Date();
    const note = (_: object, message: string) => void this.complaints.push(message);
    const quiet = () => undefined;
    const log = { debug: quiet, info: quiet, warn: note, error: note, child: () => log };
    this.#writer = new Writer(database, { log });
    this.incarnations = new Incarnations(database, log, () => Promise.resolve(life));
    this.rings = new KeyRings(
      database,
      this.#writer,
      () => this.incarnations.known,
      measureTold(this.metrics),
    );
    this.metrics.readAtScrapes([keyRingReading(database, clock)]);
    const accounts = new Accounts(database);
    const clientOptions = { tlsOptions: { ca } };
    this.advance = new Advance({
      database,
      accounts,
      rings: this.rings,
      turns: this.turns,
      terms: { ...TERMS, callDeadlineMs: times.callDeadlineMs },
      times,
      log,
      holder,
      incarnations: this.incarnations,
      salt: new SecretText('the salt of a spec'),
      outside: {
        ...measuredAzure(
          {
            accountKeys: new AccountKeys({ credential, endpoint: origin, clientOptions }),
            shelf: new SecretShelf({ credential, disableChallengeCheck: true, clientOptions }),
          },
          this.metrics,
        ),
        deadlineMs: times.callDeadlineMs,
        clock,
      },
    });
    const inputs = new Inputs(accounts, this.rings, this.advance, clock);
    this.commands = new OnRotationCommand(inputs);
    this.outcomes = new OnSwitchOutcome(inputs);
    this.registry = new OnRegistryEvent(accounts, this.advance);
    this.ahead = new OnGenerationAhead(inputs);
    const bus = { receive: () => Promise.reject(new Error('no bus in this spec')) };
    this.azureEvents = new AzureEvents({
      bus,
      accounts,
      rings: this.rings,
      inputs,
      advance: this.advance,
      log,
    });
  }

  static async start(holder: string, settings: CareSettings): Promise<Rotator> {
    const url = settings.databaseUrl;
    const database = await openDatabase({ url, schema: 'rotator', applicationName: holder });
    await migrate(database, [new URL('../../migrations/', import.meta.url)]);
    return new Rotator(holder, database, settings);
  }

  /** The orderly end: leases are given back. */
  async stop(): Promise<void> {
    await this.turns.stop();
    await this.#writer.close();
    await this.database.close();
  }

  /** The end of a process in the middle of whatever it does: nothing more is committed, no lease is given back. */
  async die(): Promise<void> {
    const over = this.turns.stop();
    await Promise.all([this.#writer.close(), this.database.close()]);
    await over;
  }
}

/** Everyone else: who declares accounts, who commands, and a notifier. Talks to the rotator started last. */
export class Care {
  readonly rotators: Rotator[] = [];
  /** Accounts whose consumers do not answer. */
  readonly silent = new Set<string>();
  #heard = 0;
  #rotations = 0;
  #notifier: Promise<void> = Promise.resolve();
  #stopping = false;

  constructor(private readonly settings: CareSettings) {}

  async rotator(): Promise<Rotator> {
    const rotator = await Rotator.start(`rotator-${this.rotators.length}`, this.settings);
    this.rotators.push(rotator);
    return rotator;
  }

  get #current(): Rotator {
    const rotator = this.rotators.at(-1);
    if (rotator === undefined) throw new Error('no rotator was started');
    return rotator;
  }

  idOf(name: string): AccountId {
    return AccountId.parse(
      `/subscriptions/${this.settings.subscriptionId}/resourceGroups/rg-ai/providers/Microsoft.CognitiveServices/accounts/${name}`,
    );
  }

  async declare(name: string, policy: Partial<AccountSettings['policy']> = {}): Promise<void> {
    await this.#registry(name, 1, {
      event: 'account-declared',
      settings: {
        account: this.idOf(name),
        kind: 'CognitiveServices',
        location: 'westeurope',
        endpoint: `${this.settings.origin}/${name}/`,
        secret: { vaultUrl: this.settings.vaultUrl, name },
        policy: {
          name: 'standard',
          intervalSeconds: 600,
          acknowledgeWithinSeconds: 60,
          onOverdue: 'hold',
          drainSeconds: 0,
          withoutConsumers: 'wait',
          ...policy,
        },
      },
    });
  }

  async withdraw(name: string): Promise<void> {
    await this.#registry(name, 2, { event: 'account-withdrawn', account: this.idOf(name), reason: 'gone' });
  }

  async #registry(name: string, version: number, what: RegistryEvent['what']): Promise<void> {
    const time = new Date();
    await this.#current.registry.handle(
      writeMessage(RegistryEvent, {
        id: `registry.${name}.${version}`,
        source: 'twinkey/scheduler',
        subject: name,
        time,
        data: { version, at: time.toISOString(), what },
      }),
    );
  }

  async rotate(
    name: string,
    what: Pick<RotationCommand & { command: 'rotate' }, 'scope' | 'slot'> = {},
  ): Promise<RotationId> {
    this.#rotations += 1;
    const rotationId = RotationId.parse(`r-${this.#rotations.toString(16).padStart(12, '0')}`);
    await this.#command({ command: 'rotate', rotationId, account: this.idOf(name), by: 'ana', ...what });
    return rotationId;
  }

  async replay(name: string, rotationId: RotationId): Promise<void> {
    await this.#command({ command: 'replay', rotationId, account: this.idOf(name), by: 'ana' });
  }

  async halt(name: string, rotationId: RotationId): Promise<void> {
    await this.#command({ command: 'halt', rotationId, account: this.idOf(name), by: 'ana' });
  }

  async #command(data: RotationCommand): Promise<void> {
    await this.#current.commands.handle(
      writeMessage(RotationCommand, {
        id: `${data.command}.${data.rotationId}.${Date.now()}`,
        source: 'twinkey/console',
        subject: 'spec',
        time: new Date(),
        data,
      }),
    );
  }

  /** Azure says that somebody did something by hand. */
  async azureSays(body: object): Promise<void> {
    await this.#current.azureEvents.take(body);
  }

  /** An instance says that it uses this generation. */
  async ahead(name: string, of: number): Promise<void> {
    const time = new Date();
    await this.#current.ahead.handle(
      writeMessage(GenerationAhead, {
        id: `ahead.${name}.${of}`,
        source: 'twinkey/notifier',
        subject: name,
        time,
        data: {
          account: this.idOf(name),
          consumer: ConsumerName.parse('batch'),
          instance: InstanceId.parse('i-00000000000000aa'),
          generation: generation(of),
          published: generation(1),
          at: time.toISOString(),
        },
      }),
    );
  }

  /** The database is as it was before: what was committed since is forgotten, and PostgreSQL is another one. */
  async restore(name: string, ring: KeyRing): Promise<void> {
    await sql`update stream set state = ${JSON.stringify(ring)}::json where name = ${this.idOf(name)}`.execute(
      this.#current.database.kysely,
    );
    life.timeline = life.timeline === '00000001' ? '00000002' : '00000003';
    await this.#current.incarnations.look();
    this.#current.advance.wake(this.idOf(name));
  }

  async ring(name: string): Promise<KeyRing> {
    return (await this.#current.rings.load(this.idOf(name))).ring;
  }

  async journal(name: string): Promise<readonly Journalled[]> {
    const events = await readJournal(this.#current.database, this.idOf(name));
    return events.map(
      ({ type, at, data }) => ({ type, at: at.getTime(), ...(data as object) }) as Journalled,
    );
  }

  async journalled<Type extends RingEvent['type']>(
    name: string,
    type: Type,
  ): Promise<readonly Extract<RingEvent, { type: Type }>[]> {
    const events = await this.journal(name);
    return events.filter((event): event is Extract<Journalled, { type: Type }> => event.type === type);
  }

  /** What people were told about the account, in order. */
  async told(name: string): Promise<readonly RotationEvent[]> {
    const account = this.idOf(name);
    const bodies = await this.outbox(RotationEvent.entity);
    return bodies.flatMap((body) => {
      const read = readMessage(RotationEvent, body);
      if (!read.ok) throw new Error(read.problem);
      return read.message.data.account === account ? [read.message.data] : [];
    });
  }

  async outbox(entity: string): Promise<readonly unknown[]> {
    const { rows } = await sql<{ body: unknown }>`
      select body from outbox where entity = ${entity} order by seq`.execute(this.#current.database.kysely);
    return rows.map(({ body }) => body);
  }

  /** Answers the rotators' questions as soon as they are asked, until it is stopped. */
  startNotifier(): void {
    this.#notifier = this.#answer();
  }

  async #answer(): Promise<void> {
    while (!this.#stopping) {
      // A rotator that is killed takes the database away under the question; it is put again to the next one.
      await this.#answerNew().catch(() => undefined);
      await delay(15);
    }
  }

  async #answerNew(): Promise<void> {
    for (const body of (await this.outbox(SwitchRequested.entity)).slice(this.#heard)) {
      const read = readMessage(SwitchRequested, body);
      if (!read.ok) throw new Error(read.problem);
      if (!this.silent.has(read.message.subject ?? '')) await this.#acknowledge(read.message.data);
      this.#heard += 1;
    }
  }

  /** Everyone uses what was asked about last. */
  async acknowledge(name: string): Promise<void> {
    const { asked } = await this.ring(name);
    if (asked === null) throw new Error(`nobody asked about ${name}`);
    await this.#acknowledge({ ...asked, account: this.idOf(name) });
  }

  /** Nothing is to be done before the next look at an account at rest. */
  async isIdle(name: string): Promise<boolean> {
    const { rows } = await sql`
      select from stream where name = ${this.idOf(name)} and look_again_at > now() + interval '1 minute'`.execute(
      this.#current.database.kysely,
    );
    return rows.length === 1;
  }

  /** Nothing is to be looked at again: the rotators are done with the account, as far as they know. */
  async atRest(name: string): Promise<boolean> {
    const { rows } = await sql`
      select from stream where name = ${this.idOf(name)} and look_again_at is null`.execute(
      this.#current.database.kysely,
    );
    return rows.length === 1;
  }

  async everythingKept(): Promise<string> {
    const { rows } = await sql<{ text: string }>`
      select data::text as text from journal union all select state::text from stream
      union all select body::text from outbox`.execute(this.#current.database.kysely);
    return rows.map(({ text }) => text).join('\n');
  }

  async #acknowledge({
    account,
    generation: of,
    request,
  }: {
    account: AccountId;
    generation: number;
    request: number;
  }): Promise<void> {
    const time = new Date();
    await this.#current.outcomes.handle(
      writeMessage(SwitchOutcome, {
        id: `outcome.${account.split('/').at(-1)}.${of}.${request}`,
        source: 'twinkey/notifier',
        subject: 'spec',
        time,
        data: {
          account,
          generation: generation(of),
          request,
          outcome: 'acknowledged',
          at: time.toISOString(),
          instances: 2,
          waived: [],
          missing: [],
        },
      }),
    );
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#notifier;
    for (const rotator of this.rotators) await rotator.stop();
  }
}
