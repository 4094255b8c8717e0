// A rotator and a notifier over an emulated Azure and a real database, for specs.
import { ClientSecretCredential } from '@azure/identity';
import { jest } from '@jest/globals';
import { startTestAzure, testDatabase, until, type TestAzure } from '@twinkey/testing';
import { Care, TIMES } from './care.js';

type Trouble = Parameters<TestAzure['control']['faults']['add']>[0];
const CALLS = { listKeys: 'arm', regenerateKey: 'arm', setSecret: 'key-vault' } as const;
type Operation = keyof typeof CALLS;

/** How long a spec waits for what a rotator does. The machine may do other work besides. */
export const WITHIN = { withinMs: 60_000, every: 20 };

export interface CareOverAzure {
  readonly azure: TestAzure;
  readonly care: Care;
  /** Of the application that may do everything. */
  readonly credential: ClientSecretCredential;
  /** Plants the trouble, and behind it what only counts. */
  readonly plant: (target: string, ...troubles: readonly Omit<Trouble, 'target'>[]) => void;
  /** Requests that arrived since `plant`. */
  readonly requests: (target: string, operation: Operation) => number;
  /** Declares the account and waits for its first publication. */
  readonly cared: (name: string) => Promise<void>;
  readonly rotated: (name: string, rotationId: string) => Promise<void>;
  /** Ends all of it, in order. */
  stop(): Promise<void>;
}

/**
 * Starts everything around accounts of these names; none of them is declared yet. Give other times to a spec in which
 * nothing goes wrong and no call may be late, however busy the machine is.
 */
export async function careOverAzure(
  names: readonly string[],
  times: typeof TIMES = TIMES,
): Promise<CareOverAzure> {
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
    times,
  });
  await care.rotator();
  care.startNotifier();
  const stop = async () => {
    await care.stop();
    jest.restoreAllMocks();
    await azure.stop();
    await server.drop();
  };
  return { azure, care, credential, stop, ...around(azure, care) };
}

function around(
  { control: { faults } }: TestAzure,
  care: Care,
): Pick<CareOverAzure, 'plant' | 'requests' | 'cared' | 'rotated'> {
  return {
    plant(target, ...troubles) {
      for (const trouble of troubles) faults.add({ ...trouble, target });
      for (const [operation, service] of Object.entries(CALLS))
        faults.add({ service, operation, target, count: 'unlimited', effect: { kind: 'delay', ms: 0 } });
    },
    requests: (target, operation) =>
      faults
        .list()
        .filter((fault) => fault.target === target && fault.operation === operation)
        .reduce((sum, { struck }) => sum + struck, 0),
    async cared(name) {
      await care.declare(name);
      await until(async () => (await care.ring(name)).evidence !== null, WITHIN);
    },
    async rotated(name, rotationId) {
      await until(async () => (await care.ring(name)).finished.some((id) => id === rotationId), WITHIN);
    },
  };
}
