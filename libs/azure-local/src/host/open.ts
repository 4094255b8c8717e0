import { Agent } from 'node:https';
import { callTrusting } from './call.js';
import { jumpingClock } from './clock.js';
import { connectionString, openServiceBus } from './bus.js';
import { credentialsOf, putWithGroup, type Credentials } from './control.js';
import { environmentOf, type Whereabouts } from './environment.js';
import { sampleFleet } from './fleet.js';
import { listen } from './listen.js';
import { openPart } from './parts.js';
import type { Incoming, Log } from './plugin.js';
import { onItsPort } from './ports.js';
import { Restarts, type AnyService, type Part } from './restart.js';
import { announceRunning } from './running.js';
import { servicesOf, type Services } from './services.js';
import type { AzureLocal, StartOptions } from './start.js';
import type { State } from './state.js';

/** One start of the emulator: what is open so far, so that a start that fails leaves nothing behind. */
export class Opening {
  readonly #stop = new AbortController();
  readonly #parts: Part[] = [];
  readonly #services: Services;
  readonly #restarts: Restarts;
  /** An agent of its own: the global one would come back on connections that a restart has cut. */
  readonly #agent: Agent;
  #origin = '';
  #withdraw: () => void = () => undefined;

  constructor(
    private readonly options: StartOptions,
    private readonly state: State,
    private readonly log: Log,
  ) {
    const localClock = jumpingClock(options.clock ?? Date.now, () => {
      this.#services.control.serviceBus?.tick();
    });
    this.#agent = new Agent({ ca: state.certificates.ca, keepAlive: true });
    this.#services = servicesOf({
      ...options,
      log,
      state,
      stopped: this.#stop.signal,
      origin: () => this.#origin,
      localClock,
    });
    this.#restarts = new Restarts(this.#parts, this.#stop.signal, () => state.forgetSigningKeys());
    this.#services.control.restarts = this.#restarts;
  }

  async open(): Promise<AzureLocal> {
    const { options, state } = this;
    const applications = this.#registerApplications();
    this.#foundFleet();
    const port = await this.#listen(
      ['entra', 'arm', 'ai'],
      'the origin',
      options.ports?.origin,
      () => this.#services.shared,
      () => {
        state.reread();
        this.#services.renew();
        this.#agent.destroy();
      },
    );
    this.#origin = `https://localhost:${port}`;
    const vaults: Record<string, string> = {};
    for (const name of options.vaults ?? ['local']) vaults[name] = await this.#openVault(name);
    const serviceBusPort = await this.#openServiceBus();
    const { ca, caFile } = state.certificates;
    this.#withdraw = announceRunning(options.dataDir, { origin: this.#origin, caFile, pid: process.pid });

    const { tenantId, subscriptionId } = state;
    const [{ clientId, clientSecret } = { clientId: '', clientSecret: '' }] = applications;
    const serviceBus = {
      port: serviceBusPort,
      connectionString: connectionString(serviceBusPort, state.serviceBusKey),
    };
    const at: Whereabouts = {
      caFile,
      origin: this.#origin,
      tenantId,
      subscriptionId,
      clientId,
      clientSecret,
      vaultUrl: Object.values(vaults)[0] ?? '',
      serviceBus,
    };
    const call = callTrusting(this.#agent);
    return {
      call: (url, sent) => call(new URL(url, this.#origin).href, sent),
      endpoints: {
        origin: this.#origin,
        vaults,
        serviceBus: `localhost:${serviceBusPort}`,
        serviceBusConnectionString: serviceBus.connectionString,
      },
      tenantId,
      subscriptionId,
      ca,
      caFile,
      applications,
      control: this.#services.control,
      environment: () => environmentOf(at, options.extraVariables),
      close: () => this.close(),
    };
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#withdraw();
    await this.#restarts.settled();
    await Promise.all(this.#parts.map((part) => part.close()));
    this.#agent.destroy();
    this.state.close();
  }

  #registerApplications(): readonly Credentials[] {
    const { directory } = this.#services;
    return [
      directory.register({ name: 'default', assignments: [{ actions: ['*'], dataActions: ['*'] }] }),
      ...(this.options.applications ?? []).map((definition) => directory.register(definition)),
    ].map((application) => credentialsOf(application, this.state.tenantId));
  }

  #foundFleet(): void {
    const { accounts } = this.#services;
    const isNew = accounts.all().length === 0;
    for (const definition of this.options.fleet ?? (isNew ? sampleFleet : [])) {
      if (accounts.get(definition.name) === undefined) putWithGroup(accounts, this.state.groups, definition);
    }
  }

  async #openVault(name: string): Promise<string> {
    const asked = this.options.ports?.vaults?.[name];
    const port = await this.#listen(['key-vault'], `vault ${name}`, asked, () => this.#services.vault(name));
    return `https://localhost:${port}`;
  }

  /** `handler` is asked at each opening; `before` is what a second one has to do first. Answers the port. */
  async #listen(
    services: readonly AnyService[],
    name: string,
    asked: number | undefined,
    handler: () => (request: Incoming) => ReturnType<Services['shared']>,
    before: () => void = () => undefined,
  ): Promise<number> {
    const { cert, key } = this.state.certificates;
    const at = (port: number) => listen({ port, tls: { key, cert }, handle: handler(), log: this.log });
    const part = await openPart(
      services,
      () => onItsPort(this.state.ports, name, asked, this.log, at),
      (port) => {
        before();
        return at(port);
      },
    );
    this.#parts.push(part);
    return part.port;
  }

  async #openServiceBus(): Promise<number> {
    const { options, state, log } = this;
    const {
      control,
      faults: { bus: faults },
    } = this.#services;
    const at = async (port: number) => {
      const bus = await openServiceBus(options, state, this.#services, log, port);
      control.serviceBus = bus;
      faults.attach(bus.faults);
      return bus;
    };
    const part = await openPart(
      ['service-bus'],
      () => onItsPort(state.ports, 'Service Bus', options.ports?.serviceBus, log, at),
      at,
    );
    this.#parts.push(part);
    return part.port;
  }
}
