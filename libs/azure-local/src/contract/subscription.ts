import { Agent } from 'node:https';
import { setTimeout as wait } from 'node:timers/promises';
import { ClientSecretCredential } from '@azure/identity';
import { ServiceBusAdministrationClient, ServiceBusClient } from '@azure/service-bus';
import { callTrusting } from '../host/call.js';
import { setting } from './settings.js';
import type { Identity, Target } from './target.js';

/** A real subscription, as the variables describe it. */
export function subscription(): Target {
  const tenantId = setting('AZURE_TENANT_ID');
  const identity = (clientId: string, clientSecret: string): Identity => ({
    tenantId,
    clientId,
    clientSecret,
  });
  const owner = identity(setting('AZURE_CLIENT_ID'), setting('AZURE_CLIENT_SECRET'));
  const powerless = identity(setting('AZURE_POWERLESS_CLIENT_ID'), setting('AZURE_POWERLESS_CLIENT_SECRET'));
  const credential = (who: Identity) =>
    new ClientSecretCredential(who.tenantId, who.clientId, who.clientSecret);
  const namespace = setting('AZURE_SERVICE_BUS_NAMESPACE');
  const connect = (who: Identity, timeoutInMs: number) =>
    new ServiceBusClient(namespace, credential(who), { retryOptions: { maxRetries: 0, timeoutInMs } });
  const agent = new Agent({ keepAlive: true });
  return {
    kind: 'azure',
    subscriptionId: setting('AZURE_SUBSCRIPTION_ID'),
    authority: 'https://login.microsoftonline.com',
    resourceManager: 'https://management.azure.com',
    vaultUrl: setting('AZURE_KEY_VAULT_URL').replace(/\/+$/, ''),
    resourceGroup: setting('AZURE_RESOURCE_GROUP'),
    account: setting('AZURE_AI_ACCOUNT'),
    translator: setting('AZURE_TRANSLATOR_ACCOUNT'),
    owner,
    powerless,
    credential,
    http: () => ({}),
    call: callTrusting(agent),
    bus: () => ({
      client: ({ timeoutInMs = 60_000 } = {}) => connect(owner, timeoutInMs),
      administration: () => new ServiceBusAdministrationClient(namespace, credential(owner)),
      stranger: () => connect(powerless, 60_000),
    }),
    now: Date.now,
    // Nobody can turn Azure's clock.
    pass: async (ms) => {
      await wait(ms);
    },
    close: () => {
      agent.destroy();
      return Promise.resolve();
    },
  };
}
