// Runs a service of production in the world: what `startService` does, without HTTP, without Nest and without a process
// of its own. Its module, its handlers, its background work and its relay are the real ones.
import 'reflect-metadata';
import {
  KeyAcknowledged,
  GenerationAhead,
  PermanentFault,
  readMessage,
  RegistryEvent,
  RotationCommand,
  RotationDue,
  RotationEvent,
  SwitchOutcome,
  SwitchRequested,
  type Contract,
} from '@twinkey/contracts';
import { openDatabase, OutboxRelay, type DatabaseDriver } from '@twinkey/journal';
import {
  NO_METRICS,
  sendOutbox,
  type Log,
  type ServiceDefinition,
  type ServiceParts,
} from '@twinkey/service';
import { settlementOf, type Bus, type ReceivedMessage, type Settlement } from '@twinkey/service-bus';
import type { Actor } from './actor.js';

/** Commits wake the relay; this is for what a dead replica left behind. */
const RELAY_IDLE_MS = 30_000;

/** Nobody listens to signs of life in a world, and every 15 seconds they were a third of all statements. */
const SIGN_OF_LIFE_MS = 3_600_000;

const CONTRACTS = new Map(
  [
    RotationDue,
    RotationCommand,
    RotationEvent,
    RegistryEvent,
    SwitchRequested,
    SwitchOutcome,
    GenerationAhead,
    KeyAcknowledged,
  ].map((contract): [string, Contract<unknown>] => [contract.type, contract]),
);

export interface Hosted {
  /** A controller of the service; whoever asks knows which. */
  controller(name: string): unknown;
}

export interface Surroundings {
  readonly actor: Actor;
  readonly url: string;
  readonly driver: DatabaseDriver;
  readonly bus: Bus;
  readonly config: object;
  readonly log: Log;
}

/** Starts it as `actor`. It ends by dying. */
export async function host(
  definition: ServiceDefinition,
  { actor, url, driver, bus, config, log }: Surroundings,
): Promise<Hosted> {
  const { name } = definition;
  const database = await openDatabase({ url, schema: name, applicationName: name, driver });
  const relay = new OutboxRelay(database, { send: sendOutbox(bus), log, idleMs: RELAY_IDLE_MS });
  const parts = {
    name,
    config,
    database,
    bus,
    log,
    relay,
    clock: actor.clock,
    metrics: NO_METRICS,
    signOfLifeMs: SIGN_OF_LIFE_MS,
  } as unknown as ServiceParts;
  const built = new Built(definition.module(parts) as Module);
  for (const { source, ...options } of definition.sources(config as never)) {
    await bus.receive(source, options, (message) => built.take(message));
  }
  relay.start();
  for (const work of definition.background?.(parts, built as never) ?? []) await work.start();
  return built;
}

interface Provided {
  readonly provide: unknown;
  readonly useValue: unknown;
}
type Class = new (...parts: unknown[]) => object;
interface Module {
  readonly providers?: readonly Provided[];
  readonly controllers?: readonly Class[];
}

type Handler = (message: unknown) => Promise<void>;

/** The objects that Nest would make of a module. */
class Built implements Hosted {
  readonly #provided = new Map<unknown, unknown>();
  readonly #controllers = new Map<string, object>();
  readonly #handlers = new Map<string, Handler>();

  constructor({ providers = [], controllers = [] }: Module) {
    for (const { provide, useValue } of providers) this.#provided.set(provide, useValue);
    for (const controller of controllers) this.#make(controller);
  }

  get(token: unknown): unknown {
    return this.#provided.get(token);
  }

  controller(name: string): unknown {
    return this.#controllers.get(name);
  }

  async take({ body, deliveryCount }: ReceivedMessage): Promise<Settlement> {
    try {
      const type = (body as { type: string }).type;
      const handler = this.#handlers.get(type);
      const contract = CONTRACTS.get(type);
      if (handler === undefined || contract === undefined)
        throw new PermanentFault('NoHandler', `This service handles no ${type}.`);
      const read = readMessage(contract, body);
      if (!read.ok) throw new PermanentFault('UnreadableMessage', read.problem);
      await handler(read.message);
      return settlementOf({ returned: true }, deliveryCount);
    } catch (error) {
      return settlementOf({ threw: error }, deliveryCount);
    }
  }

  #make(controller: Class): void {
    const types = (Reflect.getMetadata('design:paramtypes', controller) ?? []) as unknown[];
    const named = (Reflect.getMetadata('self:paramtypes', controller) ?? []) as {
      index: number;
      param: unknown;
    }[];
    const tokens = types.map((type, index) => named.find((each) => each.index === index)?.param ?? type);
    const made = new controller(...tokens.map((token) => this.#provided.get(token)));
    this.#controllers.set(controller.name, made);
    for (const method of Object.getOwnPropertyNames(controller.prototype)) {
      const work: unknown = Reflect.get(made, method);
      if (typeof work !== 'function') continue;
      const patterns = (Reflect.getMetadata('microservices:pattern', work) ?? []) as unknown[];
      for (const pattern of patterns) this.#handlers.set(String(pattern), work.bind(made) as Handler);
    }
  }
}
