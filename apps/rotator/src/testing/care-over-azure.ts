// A rotator and a notifier over an emulated Azure and a real database, for specs.
import { ClientSecretCredential } from '@azure/identity';
import { jest } from '@jest/globals';
import { startTestAzure, testDatabase, type TestAzure } from '@twinkey/testing';
import { Care } from './care.js';

export interface CareOverAzure {
  readonly azure: TestAzure;
  readonly care: Care;
  /** Of the application that may do everything. */
  readonly credential: ClientSecretCredential;
  /** Ends all of it, in order. */
  stop(): Promise<void>;
}

/** Starts everything around accounts of these names; none of them is declared yet. */
export async function careOverAzure(names: readonly string[]): Promise<CareOverAzure> {
  const [azure, server] = await Promise.all([
    startTestAzure({ fleet: names.map((name) => ({ name })), limits: { arm: 'off', vault: 'off' } }),
    testDatabase(),
  ]);
  const [application] = azure.applications;
  if (application === undefined) throw new Error('there is a default application');
  const { tenantId, clientId, clientSecret } = application;
  const credential = new ClientSecretCredential(tenantId, clientId, clientSecret, {
    authorityHost: azure.endpoints.origin,
    disableInstanceDiscovery: true,
    tlsOptions: { ca: azure.ca },
  });
  // The process's own fetch learned its authorities when it started; this one trusts the emulator's.
  jest.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const url = input instanceof Request ? input.url : input.toString();
    const headers = Object.fromEntries(new Headers(init?.headers));
    const answer = await azure.call(url, {
      method: init?.method ?? 'GET',
      headers,
      body: init?.body ?? undefined,
    });
    return new Response(answer.text, { status: answer.status });
  });
  const care = new Care({
    origin: azure.endpoints.origin,
    vaultUrl: azure.endpoints.vaults['local'] ?? '',
    subscriptionId: azure.subscriptionId,
    ca: azure.ca,
    credential,
    databaseUrl: server.url,
  });
  await care.rotator();
  care.startNotifier();
  const stop = async () => {
    await care.stop();
    jest.restoreAllMocks();
    await azure.stop();
    await server.drop();
  };
  return { azure, care, credential, stop };
}
