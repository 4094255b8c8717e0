// An embedded Azure with one account in it, and a notifier that speaks the contracts over HTTP and announces over its bus:
// what `connect` meets, without a database.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { ClientSecretCredential } from '@azure/identity';
import { SecretClient } from '@azure/keyvault-secrets';
import { type AzureLocal, start, type Topology } from '@twinkey/azure-local';
import {
  AccountId,
  emulatorConfig,
  generation,
  HeartbeatRequest,
  KeyAcknowledged,
  KeyChanged,
  keyChangedTopic,
  readMessage,
  RegisterRequest,
  topology,
  writeMessage,
} from '@twinkey/contracts';
import { type Bus, connectBus } from '@twinkey/service-bus';
import { connect } from '../connect.js';
import type { ConnectOptions } from '../settings.js';
import type { Twinkey } from '../twinkey.js';

export const INSTANCE = 'i-0123456789abcdef';
const TOPIC = keyChangedTopic(0);

type Slot = 'key1' | 'key2';

export class Embedded {
  /** The generation that the notifier names. */
  current = 0;
  /** The notifier answers nothing but 503. */
  isSilent = false;
  readonly registered: RegisterRequest[] = [];
  readonly heartbeats: HeartbeatRequest[] = [];
  readonly goodbyes: string[] = [];
  readonly acknowledged: KeyAcknowledged[] = [];
  /** The notifier: over HTTP, in the hands of the spec. */
  notifierUrl = '';
  /** The data plane over plain HTTP: this process's `fetch` does not know the emulator's authority. */
  plainUrl = '';

  readonly account: AccountId;
  readonly credential: ClientSecretCredential;
  readonly #shelf: SecretClient;
  readonly #bus: Bus;
  #servers: Server[] = [];
  #secretName = '';
  #serial = 0;

  private constructor(
    readonly azure: AzureLocal,
    private readonly name: string,
    private readonly folder: string,
  ) {
    this.account = AccountId.parse(
      `/subscriptions/${azure.subscriptionId}/resourceGroups/rg-ai/providers/Microsoft.CognitiveServices/accounts/${name}`,
    );
    const [found] = azure.applications;
    if (found === undefined) throw new Error('no application');
    const tlsOptions = { ca: azure.ca };
    this.credential = new ClientSecretCredential(found.tenantId, found.clientId, found.clientSecret, {
      authorityHost: azure.endpoints.origin,
      disableInstanceDiscovery: true,
      tlsOptions,
    });
    this.#shelf = new SecretClient(azure.endpoints.vaults['local'] ?? '', this.credential, {
      disableChallengeResourceVerification: true,
      tlsOptions,
    });
    this.#bus = connectBus({ connectionString: azure.endpoints.serviceBusConnectionString });
  }

  static async start(name: string, kind: string): Promise<Embedded> {
    const folder = mkdtempSync(join(tmpdir(), 'consumer-'));
    const azure = await start({
      dataDir: folder,
      fleet: [{ name, kind, resourceGroup: 'rg-ai' }],
      limits: { arm: 'off' },
      topology: emulatorConfig(topology({ shards: 1 })) as Topology,
    });
    const embedded = new Embedded(azure, name, folder);
    await embedded.#open();
    return embedded;
  }

  async #open(): Promise<void> {
    await this.#shelf.listPropertiesOfSecrets().byPage({ maxPageSize: 1 }).next();
    await this.#bus.subscriptions.ensure(TOPIC, INSTANCE);
    await this.#bus.receive({ queue: KeyAcknowledged.entity }, {}, ({ body }) => {
      const read = readMessage(KeyAcknowledged, body);
      if (read.ok) this.acknowledged.push(read.message.data);
      return Promise.resolve({ settle: 'complete' });
    });
    this.notifierUrl = urlOf(await this.serveNotifier());
    this.plainUrl = urlOf(await this.#serve((request, response) => this.#passOn(request, response)));
  }

  async close(): Promise<void> {
    await this.#bus.close();
    for (const server of this.#servers) server.close();
    await this.azure.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Forgets what was said, and begins with a new secret. */
  reset(): void {
    for (const list of [this.registered, this.heartbeats, this.goodbyes, this.acknowledged]) list.length = 0;
    this.#serial += 1;
    this.#secretName = `${this.name}-${this.#serial}`;
    this.current = 0;
    this.isSilent = false;
  }

  /** One more notifier, which a spec may take away. */
  serveNotifier(): Promise<Server> {
    return this.#serve((request, response) => this.#answerInstance(request, response));
  }

  async keys(act: 'listKeys' | 'regenerateKey' = 'listKeys', keyName?: 'Key1' | 'Key2') {
    const { token } = await this.credential.getToken('https://management.azure.com/.default');
    const url = `${this.azure.endpoints.origin}${this.account}/${act}?api-version=2025-09-01`;
    const answer = await this.azure.call(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: keyName === undefined ? {} : { keyName },
    });
    return answer.json() as Record<Slot, string>;
  }

  async publish(slot: Slot, number: number): Promise<void> {
    await this.#shelf.setSecret(this.#secretName, (await this.keys())[slot], {
      tags: { 'twinkey-account': this.account, 'twinkey-generation': String(number), 'twinkey-slot': slot },
    });
  }

  async announce(number: number): Promise<void> {
    this.current = number;
    const message = writeMessage(KeyChanged, {
      id: `changed-${this.#secretName}-${number}`,
      source: 'twinkey/notifier',
      time: new Date(),
      data: {
        account: this.account,
        generation: generation(number),
        secret: this.#secret(),
        publishedAt: new Date().toISOString(),
      },
    });
    await this.#bus.send(TOPIC, [{ id: message.id, body: message }]);
  }

  /** As the rotator's gate has it: acknowledged, and nothing signed with an older key is under way any more. */
  async drained(number: number): Promise<void> {
    await until(() => this.acknowledged.some((each) => each.generation === number));
    const [said] = this.acknowledged.filter((each) => each.generation === number);
    const drainedAt = Date.parse(said?.drainedAt ?? '1970-01-01T00:00:00Z');
    await until(() => Date.now() > drainedAt);
  }

  /** Connects an application to all this. */
  connect(more: Partial<ConnectOptions> = {}): Promise<Twinkey> {
    return connect(
      {
        consumer: 'voice-bot',
        accounts: [this.name],
        notifierUrl: this.notifierUrl,
        serviceBus: { connectionString: this.azure.endpoints.serviceBusConnectionString },
        credential: this.credential,
        clientOptions: { tlsOptions: { ca: this.azure.ca } },
        startWithinSeconds: 5,
        ...more,
      },
      { TWINKEY_DISABLE_VAULT_CHALLENGE_CHECK: 'true' },
    );
  }

  #secret(): { vaultUrl: string; name: string } {
    return { vaultUrl: this.#shelf.vaultUrl, name: this.#secretName };
  }

  async #serve(
    answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
  ): Promise<Server> {
    const server = createServer((request, response) => void answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#servers = [...this.#servers, server];
    return server;
  }

  async #answerInstance(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const { account, name, current } = this;
    const accounts = [{ account, name, generation: current, secret: this.#secret() }];
    const json = (status: number, value: object): void => {
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
    };
    if (this.isSilent) {
      json(503, {});
    } else if (request.method === 'DELETE') {
      this.goodbyes.push(request.url ?? '');
      response.writeHead(204).end();
    } else if (request.url === '/v1/instances') {
      const asked = RegisterRequest.parse(JSON.parse(body));
      this.registered.push(asked);
      if (!asked.accounts.includes(name)) {
        json(403, { code: 'account-not-allowed', detail: 'voice-bot may not use it' });
        return;
      }
      const subscriptions = asked.channel === 'service-bus' ? [{ topic: TOPIC, subscription: INSTANCE }] : [];
      const terms = { leaseSeconds: 1, heartbeatSeconds: 0.2, rereadSeconds: 2 };
      json(201, { instance: INSTANCE, ...terms, accounts, subscriptions });
    } else {
      this.heartbeats.push(HeartbeatRequest.parse(JSON.parse(body)));
      json(200, { leaseSeconds: 1, accounts });
    }
  }

  async #passOn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = request;
    const kept = Object.entries(headers).filter(
      ([name]) => !/^(host|connection|.*encoding|content-length)$/.test(name),
    );
    const answer = await this.azure.call(this.azure.endpoints.origin + url, {
      method,
      headers: Object.fromEntries(kept.map(([name, value]) => [name, String(value)])),
      body: await text(request),
    });
    const type = String(answer.headers['content-type'] ?? 'text/plain');
    response.writeHead(answer.status, { 'Content-Type': type }).end(answer.text);
  }
}

export function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export async function until(holds: () => boolean, withinMs = 20_000): Promise<void> {
  for (const giveUpAt = Date.now() + withinMs; !holds();) {
    if (Date.now() > giveUpAt) throw new Error(`waited in vain for ${holds.toString()}`);
    await wait(10);
  }
}
