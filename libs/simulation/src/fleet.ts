// The processes of the world: which ones run, and that somebody starts those again that died.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { notifierAt } from '@twinkey/notifier';
import { rotatorOver } from '@twinkey/rotator';
import { schedulerOver } from '@twinkey/scheduler';
import type { Log, ServiceDefinition } from '@twinkey/service';
import { Actor } from './actor.js';
import { host, type Hosted } from './host.js';
import { Instance } from './instance.js';
import { accountKeysOf, accountsOf, shelfOf, VAULT } from './ports.js';
import { careFileOf, TIMES } from './settings.js';
import type { World } from './world.js';

type Service = 'scheduler' | 'rotator' | 'notifier';

const quiet = (): void => undefined;
const SILENT: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet, child: () => SILENT };
const MOST_INSTANCES = 6;

export class Fleet {
  readonly #running = new Map<string, Actor>();
  readonly #folder: string;
  #count = 0;

  constructor(private readonly world: World) {
    this.#folder = mkdtempSync(path.join(tmpdir(), 'twinkey-simulation-'));
    writeFileSync(path.join(this.#folder, 'twinkey.yaml'), careFileOf(world.settings));
  }

  start(): void {
    const { settings, chance } = this.world;
    this.#keep('scheduler', 'scheduler', 0);
    this.#keep('notifier', 'notifier', 0);
    for (let i = 1; i <= settings.rotators; i += 1)
      this.#keep(`rotator-${i}`, 'rotator', chance.between(0, 2_000));
    for (const { name, instances } of settings.consumers) {
      for (let i = 0; i < instances; i += 1)
        this.#startInstance(
          name,
          chance.happens(0.7) ? chance.between(0, 20_000) : chance.between(0, 300_000),
        );
    }
  }

  end(): void {
    for (const actor of this.#running.values()) actor.die();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  running(role: Actor['role']): readonly Actor[] {
    return [...this.#running.values()].filter((actor) => actor.alive && actor.role === role);
  }

  /** One more instance of a consumer, unless there are many. */
  addInstance(): boolean {
    const { settings, instances, chance } = this.world;
    if (instances.size >= MOST_INSTANCES) return false;
    this.#startInstance(chance.pick(settings.consumers).name, 0);
    return true;
  }

  /** Starts a service, and again whenever it died. */
  #keep(name: string, service: Service, inMs: number): void {
    const { timeline, chance, story } = this.world;
    timeline.after(
      inMs,
      async () => {
        const actor = new Actor(name, service, timeline, this.world.drawSkew());
        this.#running.set(name, actor);
        actor.atDeath(() => {
          if (this.#running.get(name) !== actor) return;
          story.tell(name, 'dies');
          this.#keep(name, service, chance.magnitude(300, 90_000));
        });
        story.tell(name, 'starts');
        const hosted = await timeline.as(actor, () => this.#host(service, actor));
        if (service === 'notifier' && actor.alive) this.world.network.server = { actor, hosted };
      },
      null,
    );
  }

  #host(service: Service, actor: Actor): Promise<Hosted> {
    const { database, broker, ports, bug } = this.world;
    const bent = bug?.ports?.(ports) ?? ports;
    const definition: ServiceDefinition =
      service === 'scheduler'
        ? (schedulerOver(() => accountsOf(ports, actor)) as never)
        : service === 'notifier'
          ? (notifierAt({ roundMs: TIMES.roundMs }) as never)
          : (rotatorOver(() => ({
              accountKeys: accountKeysOf(bent, actor),
              shelf: shelfOf(bent, actor),
            })) as never);
    return host(definition, {
      actor,
      url: 'postgres://world@world/world',
      driver: database.driver(actor),
      bus: bug?.bus?.(broker.connect(actor), this.world) ?? broker.connect(actor),
      config: {
        ...TIMES,
        file: path.join(this.#folder, 'twinkey.yaml'),
        keyVaultUrl: VAULT,
        subscriptionId: undefined,
        resourceManagerEndpoint: 'https://arm.simulation.example',
        fingerprintSalt: 'the salt of a world',
        disableVaultChallengeCheck: false,
        webhookAllow: 'public',
        webhookTimeoutSeconds: 15,
        ...bug?.config,
      },
      log: SILENT,
    });
  }

  #startInstance(consumer: string, inMs: number): void {
    const { timeline, chance, instances, story } = this.world;
    timeline.after(
      inMs,
      () => {
        this.#count += 1;
        const actor = new Actor(`${consumer}-${this.#count}`, 'consumer', timeline, this.world.drawSkew());
        this.#running.set(actor.name, actor);
        story.tell(actor.name, 'starts');
        const instance = new Instance(this.world, {
          consumer,
          actor,
          onExit: () => {
            actor.die();
          },
        });
        actor.atDeath(() => {
          if (!this.#running.delete(actor.name)) return;
          story.tell(actor.name, 'dies');
          instances.delete(instance);
          this.#startInstance(consumer, chance.magnitude(500, 200_000));
        });
        instances.add(instance);
      },
      null,
    );
  }
}
