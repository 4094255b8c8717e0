// What an agent meets: an embedded Azure with one account, and a notifier that speaks the contracts over HTTP and keeps
// what it is told. The spec plays the rotator.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { ClientSecretCredential } from '@azure/identity';
import { SecretClient } from '@azure/keyvault-secrets';
import { AccountId, HeartbeatRequest, RegisterRequest } from '@twinkey/contracts';
import { startTestAzure, type TestAzure, until } from '@twinkey/testing';

type Slot = 'Key1' | 'Key2';

interface Instance {
  readonly consumer: string;
  /** What it said last. */
  acknowledged: number;
  refusal: string | undefined;
  isGone: boolean;
}

export class Installation {
  /** The notifier answers nothing but 503. */
  isSilent = false;
  readonly instances = new Map<string, Instance>();
  /** Every key that ever was. */
  readonly keys = new Set<string>();
  readonly account: AccountId;
  #current = 0;
  #server: Server | undefined;
  readonly #credential: ClientSecretCredential;
  readonly #shelf: SecretClient;

  private constructor(
    readonly azure: TestAzure,
    readonly name: string,
  ) {
    this.account = AccountId.parse(
      `/subscriptions/${azure.subscriptionId}/resourceGroups/rg-ai/providers/Microsoft.CognitiveServices/accounts/${name}`,
    );
    const [found] = azure.applications;
    if (found === undefined) throw new Error('no application');
    const tlsOptions = { ca: azure.ca };
    this.#credential = new ClientSecretCredential(found.tenantId, found.clientId, found.clientSecret, {
      authorityHost: azure.endpoints.origin,
      disableInstanceDiscovery: true,
      tlsOptions,
    });
    this.#shelf = new SecretClient(azure.endpoints.vaults['local'] ?? '', this.#credential, {
      disableChallengeResourceVerification: true,
      tlsOptions,
    });
  }

  static async start(name: string): Promise<Installation> {
    const fleet = [{ name, kind: 'AIServices', resourceGroup: 'rg-ai' }];
    const made = new Installation(await startTestAzure({ fleet, limits: { arm: 'off' } }), name);
    made.#server = createServer((request, response) => void made.#answer(request, response));
    await new Promise<void>((resolve) => made.#server?.listen(0, '127.0.0.1', resolve));
    return made;
  }

  async stop(): Promise<void> {
    this.#server?.close();
    this.#server?.closeAllConnections();
    await this.azure.stop();
  }

  /** What an agent finds all this by. */
  environment(): Record<string, string> {
    const { SERVICEBUS_CONNECTION_STRING: _, ...azure } = this.azure.environment();
    const { port } = this.#server?.address() as AddressInfo;
    return {
      ...azure,
      TWINKEY_NOTIFIER_URL: `http://127.0.0.1:${port}`,
      TWINKEY_DISABLE_VAULT_CHALLENGE_CHECK: 'true',
      TWINKEY_DISABLE_INSTANCE_DISCOVERY: 'true',
    };
  }

  /** Makes the key of a slot the current version under a generation, and names that from the next heartbeat on. */
  async publish(slot: Slot, generation: number): Promise<void> {
    const { key1, key2 } = await this.#keys('listKeys');
    const key = slot === 'Key1' ? key1 : key2;
    const tags = { 'twinkey-account': this.account, 'twinkey-generation': String(generation) };
    await this.#shelf.setSecret(this.name, key, { tags });
    this.#current = generation;
  }

  async regenerate(slot: Slot): Promise<void> {
    await this.#keys('regenerateKey', slot);
  }

  /** Resolves when all these consumers said that they use it. */
  async acknowledged(generation: number, consumers: readonly string[]): Promise<void> {
    await until(() => consumers.every((consumer) => this.instanceOf(consumer)?.acknowledged === generation));
  }

  instanceOf(consumer: string): Instance | undefined {
    return [...this.instances.values()].findLast((each) => each.consumer === consumer);
  }

  async #keys(act: 'listKeys' | 'regenerateKey', keyName?: Slot): Promise<{ key1: string; key2: string }> {
    const { token } = await this.#credential.getToken('https://management.azure.com/.default');
    const answer = await this.azure.call(
      `${this.azure.endpoints.origin}${this.account}/${act}?api-version=2025-09-01`,
      {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: keyName === undefined ? {} : { keyName },
      },
    );
    const keys = answer.json() as { key1: string; key2: string };
    this.keys.add(keys.key1).add(keys.key2);
    return keys;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const json = (status: number, value: object): void => {
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
    };
    const secret = { vaultUrl: this.#shelf.vaultUrl, name: this.name };
    const accounts = [{ account: this.account, name: this.name, generation: this.#current, secret }];
    const [, id = ''] = /^\/v1\/instances\/([^/]+)/.exec(request.url ?? '') ?? [];
    const known = this.instances.get(id);
    if (this.isSilent) {
      json(503, {});
    } else if (id === '') {
      const { consumer } = RegisterRequest.parse(JSON.parse(body));
      const instance = `i-${String(this.instances.size).padStart(16, '0')}`;
      this.instances.set(instance, { consumer, acknowledged: 0, refusal: undefined, isGone: false });
      const terms = { leaseSeconds: 1, heartbeatSeconds: 0.2, rereadSeconds: 2 };
      json(201, { instance, ...terms, accounts, subscriptions: [] });
    } else if (request.method === 'DELETE') {
      if (known !== undefined) known.isGone = true;
      response.writeHead(204).end();
    } else {
      const [said] = HeartbeatRequest.parse(JSON.parse(body)).accounts;
      if (known !== undefined && said !== undefined) {
        known.acknowledged = said.generation;
        known.refusal = said.refusal?.reason;
      }
      json(200, { leaseSeconds: 1, accounts });
    }
  }
}
