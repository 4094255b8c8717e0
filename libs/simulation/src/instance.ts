// One process of a consumer: the session of the library, and an application that calls the account again and again.
import { ConsumerName, isInterrupted, type AccountId } from '@twinkey/contracts';
import { channelOver, Events, Session, type FollowedAccount } from '@twinkey/consumer/session';
import type { Actor } from './actor.js';
import type { World } from './world.js';
import { vaultOf } from './ports.js';
import { TIMES } from './settings.js';
import type { Timeline } from './timeline.js';

export interface InstanceOrder {
  readonly consumer: string;
  readonly actor: Actor;
  /** Called once when it ends by itself: it could not start. */
  readonly onExit: () => void;
}

export class Instance {
  readonly consumer: string;
  readonly actor: Actor;
  /** Nothing of it reaches the notifier or the bus. */
  cutUntil = 0;
  /** Nothing of it reaches the vault. */
  vaultlessUntil = 0;
  /** When the heartbeat was sent that was answered last, in true time. */
  answeredAt = -Infinity;
  /** When it got an answer of the vault last, in true time. */
  readAt = -Infinity;
  readonly #session: Session;
  readonly #highest = new Map<AccountId, number>();

  constructor(
    private readonly world: World,
    { consumer, actor, onExit }: InstanceOrder,
  ) {
    const { timeline, chance, broker, network, ports, story, settings } = world;
    this.consumer = consumer;
    this.actor = actor;
    const bus = broker.connect(actor);
    this.#session = new Session({
      settings: {
        consumer: ConsumerName.parse(consumer),
        accounts: settings.accounts.map((id) => id.split('/').at(-1) ?? ''),
        name: actor.name,
        notifierUrl: '',
        serviceBus: undefined,
        drainSeconds: settings.drainSeconds,
        startWithinSeconds: 60,
        waitForFirstPublication: true,
        disableInstanceDiscovery: false,
        disableChallengeCheck: false,
      },
      boot: chance.uuid(),
      notifier: network.notifierFor(
        actor,
        () => this.isCut,
        (sentAt) => {
          this.answeredAt = sentAt;
        },
      ),
      vault: vaultOf(ports, actor, {
        isCut: () => this.vaultlessUntil > timeline.now,
        onRead: () => {
          this.readAt = timeline.now;
        },
      }),
      channel: channelOver({
        ...bus,
        send: (entity, messages) =>
          this.isCut ? Promise.reject(new Error('cut off')) : bus.send(entity, messages),
        receive: (source, options, handle) =>
          bus.receive(source, options, (message) =>
            this.isCut ? Promise.resolve({ settle: 'release' } as const) : handle(message),
          ),
      }),
      timing: {
        now: actor.now,
        random: () => chance.next(),
        wait: (ms, signal) => waitOn(timeline, actor, ms, signal),
      },
      events: new Events({
        switched: ({ account, generation }) => {
          story.tell(actor.name, `uses generation ${generation} of ${account.split('/').at(-1) ?? ''}`);
          const before = this.#highest.get(account) ?? 0;
          if (generation <= before)
            world.judge.breach(`${actor.name} went from generation ${before} back to ${generation}`);
          this.#highest.set(account, generation);
        },
        lapsed: () => {
          story.tell(actor.name, 'gets no answer of the notifier any more');
        },
      }),
    });
    timeline.as(actor, () => {
      this.#session.start().then(
        () => {
          this.#application();
        },
        (error: unknown) => {
          story.tell(actor.name, `cannot start: ${error instanceof Error ? error.message : String(error)}`);
          if (!isInterrupted(error)) onExit();
        },
      );
    });
  }

  get isCut(): boolean {
    return this.cutUntil > this.world.timeline.now;
  }

  /** The notifier surely still counts on it. */
  get isLive(): boolean {
    return this.world.timeline.now < this.answeredAt + TIMES.leaseSeconds * 1_000;
  }

  following(account: AccountId): FollowedAccount | undefined {
    return this.#session.accounts.get(account);
  }

  /** The generation in use; 0: none. */
  generationOf(account: AccountId): number {
    return this.following(account)?.generation ?? 0;
  }

  #application(): void {
    for (const followed of this.#session.accounts.values()) void this.#callAgainAndAgain(followed);
  }

  async #callAgainAndAgain(followed: FollowedAccount): Promise<never> {
    const { timeline, chance } = this.world;
    for (;;) {
      await timeline.pass(chance.between(2_000, 12_000));
      if (followed.generation > 0) void this.#call(followed);
    }
  }

  /** As `account.use` of the library does it. */
  async #call(followed: FollowedAccount): Promise<void> {
    const { timeline, chance, settings, judge } = this.world;
    await followed.confirm();
    await followed.holder.use(async ({ key, generation }) => {
      const onTheWay = chance.magnitude(5, settings.drainSeconds * 700);
      // What has left the process arrives whatever becomes of the process.
      await new Promise<void>((resolve) => {
        timeline.after(
          onTheWay,
          () => {
            judge.called(this, followed.id, key, generation);
            timeline.after(5, resolve, this.actor);
          },
          null,
        );
      });
    });
  }
}

function waitOn(timeline: Timeline, actor: Actor, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      signal.removeEventListener('abort', end);
      appointment.cancel();
      resolve();
    };
    const appointment = timeline.after(signal.aborted ? 0 : ms, end, actor);
    signal.addEventListener('abort', end);
  });
}
