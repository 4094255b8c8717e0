import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClientSecretCredential } from '@azure/identity';
import { ServiceBusAdministrationClient, ServiceBusClient } from '@azure/service-bus';
import { start, type AzureLocal } from '../host/start.js';
import type { BusTarget, HttpOptions, Target } from './target.js';
import { recorder, trafficFolder, type RecordedService } from './traffic.js';

const resourceGroup = 'rg-contract';
const account = 'contract';
const translator = 'contract-translator';

/** The embedded Azure in a folder of its own, with a clock that the suite turns. */
export async function embedded(): Promise<Target> {
  const folder = mkdtempSync(join(tmpdir(), 'contract-'));
  let ahead = 0;
  const now = () => Date.now() + ahead;
  const azure = await start({
    dataDir: folder,
    clock: now,
    pageSize: 2,
    fleet: [
      { name: account, resourceGroup, kind: 'TextAnalytics' },
      { name: translator, resourceGroup, kind: 'TextTranslation' },
      { name: 'contract-keyless', resourceGroup, disableLocalAuth: true },
    ],
    applications: [{ name: 'powerless' }],
  });
  const [owner, powerless] = azure.applications;
  if (owner === undefined || powerless === undefined)
    throw new Error('The embedded Azure lacks applications.');
  const tlsOptions = { ca: azure.ca };
  return {
    kind: 'embedded',
    subscriptionId: azure.subscriptionId,
    authority: azure.endpoints.origin,
    resourceManager: azure.endpoints.origin,
    vaultUrl: azure.endpoints.vaults['local'] ?? '',
    resourceGroup,
    account,
    translator,
    owner,
    powerless,
    credential: ({ tenantId, clientId, clientSecret }) =>
      new ClientSecretCredential(tenantId, clientId, clientSecret, {
        authorityHost: azure.endpoints.origin,
        disableInstanceDiscovery: true,
        tlsOptions,
      }),
    http: (service) => ({ tlsOptions, ...recording(service) }),
    call: azure.call,
    bus: () => busOf(azure),
    now,
    pass: (ms) => {
      ahead += ms;
      azure.control.serviceBus?.tick();
      return Promise.resolve();
    },
    close: async () => {
      await azure.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Only the embedded Azure is recorded: nobody's real traffic ends in a file. */
function recording(service: RecordedService | undefined): HttpOptions {
  const folder = trafficFolder();
  if (service === undefined || folder === undefined) return {};
  return { additionalPolicies: [{ policy: recorder(service, folder), position: 'perRetry' }] };
}

function busOf({ endpoints, ca }: AzureLocal): BusTarget {
  const connection = endpoints.serviceBusConnectionString;
  const connect = (text: string, timeoutInMs: number) =>
    new ServiceBusClient(text, { retryOptions: { maxRetries: 0, timeoutInMs } });
  return {
    client: ({ timeoutInMs = 10_000 } = {}) => connect(connection, timeoutInMs),
    administration: () => new ServiceBusAdministrationClient(connection, { tlsOptions: { ca } }),
    stranger: () => connect(connection.replace(/SharedAccessKey=[^;]*/, 'SharedAccessKey=bm9ib2R5'), 10_000),
  };
}
