import type { TokenCredential } from '@azure/core-auth';
import type { PipelinePolicy } from '@azure/core-rest-pipeline';
import {
  RetryMode,
  type RetryOptions,
  ServiceBusAdministrationClient,
  ServiceBusClient,
  type ServiceBusClientOptions,
} from '@azure/service-bus';
import { isInterrupted, PermanentFault, topology, TransientFault } from '@twinkey/contracts';
import type { Bus, BusLog, EntitySource } from './bus.js';
import { deadLettersOf } from './dead-letters.js';
import { createReceiver, nameOf } from './entity.js';
import { toFault } from './faults.js';
import { withoutNagle } from './no-delay.js';
import { Receiver } from './receive.js';
import { Senders } from './send.js';
import { subscriptionsOf } from './subscriptions.js';

/** Either a connection string, or a namespace (then a credential is needed too). */
export interface BusSettings {
  readonly connectionString?: string | undefined;
  /** `x.servicebus.windows.net`, or `localhost:PORT`. */
  readonly namespace?: string | undefined;
  /** Where the namespace is really reached, e.g. `sb://localhost:PORT`: names and tokens stay those of the namespace. */
  readonly endpoint?: string | undefined;
}

export interface BusOptions {
  readonly log?: BusLog;
}

/**
 * The SDK's own defaults are a fixed 30 s, three times: a subscriber was back 26.7 s after a restart of the
 * broker, with these 0.2 s. Receivers go on for ever after that, whatever is sent is kept by the outbox.
 */
const RETRY = {
  mode: RetryMode.Exponential,
  retryDelayInMs: 100,
  maxRetryDelayInMs: 1_000,
  maxRetries: 5,
  timeoutInMs: 5_000,
} as const;

/** Includes one round of RETRY: a refused token is retried by the SDK as well before it says so. */
const PING_WITHIN_MS = 8_000;

const silent: BusLog = { info: () => undefined, warn: () => undefined };

/**
 * Opens nothing yet: links are made when they are used. Throws a PermanentFault `bus-settings-invalid` for
 * settings that cannot work; it never repeats them, for they may hold a secret.
 */
export function connectBus(
  settings: BusSettings,
  credential?: TokenCredential,
  { log = silent }: BusOptions = {},
): Bus {
  withoutNagle(log);
  const { client, administration } = open(settings, credential);
  const senders = new Senders(client);
  const receivers = new Set<Receiver>();
  let lately: EntitySource | undefined;

  return {
    send: (entity, messages) => senders.send(entity, messages),
    receive: (source, options, handle) => {
      const receiver = new Receiver(client, source, options, handle, log);
      receivers.add(receiver);
      lately = source;
      return Promise.resolve({
        close: async () => {
          await receiver.close();
          receivers.delete(receiver);
        },
      });
    },
    deadLetters: (source) => deadLettersOf(client, source),
    subscriptions: subscriptionsOf(administration),
    ping: (source = lately ?? { queue: topology({ shards: 0 }).queues[0]?.name ?? '' }) =>
      ping(client, source),
    close: async () => {
      await Promise.all([...receivers].map((receiver) => receiver.close()));
      await client.close();
    },
  };
}

export interface Clients {
  readonly client: ServiceBusClient;
  readonly administration: () => ServiceBusAdministrationClient;
}

/** The SDK's two clients for the same namespace; `retry` overrides what is said above. */
export function open(
  { connectionString, namespace, endpoint }: BusSettings,
  credential: TokenCredential | undefined,
  retry: RetryOptions = {},
): Clients {
  const options: ServiceBusClientOptions = {
    retryOptions: { ...RETRY, ...retry },
    ...(endpoint === undefined ? {} : { customEndpointAddress: endpoint }),
  };
  const policies = endpoint === undefined ? [] : [reachedAt(new URL(endpoint).host)];
  if (connectionString !== undefined) {
    // What the SDK itself takes as the sign of an emulator: plain AMQP, so plain HTTP on the same port too.
    if (/;UseDevelopmentEmulator=true(;|$)/.test(connectionString)) policies.push(plainHttp);
    return {
      client: reading(() => new ServiceBusClient(connectionString, options)),
      administration: once(() =>
        withPolicies(new ServiceBusAdministrationClient(connectionString), policies),
      ),
    };
  }
  if (namespace === undefined || credential === undefined) {
    throw new PermanentFault(
      'bus-settings-invalid',
      'Service Bus needs a connection string, or a namespace and a credential.',
    );
  }
  return {
    client: reading(() => new ServiceBusClient(namespace, credential, options)),
    administration: once(() =>
      withPolicies(new ServiceBusAdministrationClient(namespace, credential), policies),
    ),
  };
}

function reading<Made>(make: () => Made): Made {
  try {
    return make();
  } catch {
    // What was thrown may quote the connection string.
    throw new PermanentFault(
      'bus-settings-invalid',
      'The connection string or namespace of Service Bus cannot be read.',
      {
        remedy: 'Copy it again from the namespace.',
      },
    );
  }
}

function once<Made>(make: () => Made): () => Made {
  let made: Made | undefined;
  return () => (made ??= make());
}

function withPolicies(
  client: ServiceBusAdministrationClient,
  policies: readonly PipelinePolicy[],
): ServiceBusAdministrationClient {
  for (const policy of policies) client.pipeline.addPolicy(policy);
  return client;
}

/** The administration client knows no custom endpoint: its requests are redirected here. */
function reachedAt(host: string): PipelinePolicy {
  return {
    name: 'reachedAt',
    sendRequest: (request, next) => {
      const url = new URL(request.url);
      url.host = host;
      request.url = url.toString();
      return next(request);
    },
  };
}

const plainHttp: PipelinePolicy = {
  name: 'plainHttp',
  sendRequest: (request, next) => {
    request.url = request.url.replace(/^https:/, 'http:');
    request.allowInsecureConnection = true;
    return next(request);
  },
};

/** A look at the head of an entity goes all the way: connection, token, entity, and back. */
async function ping(client: ServiceBusClient, source: EntitySource): Promise<void> {
  const receiver = createReceiver(client, source, { receiveMode: 'peekLock' });
  try {
    await receiver.peekMessages(1, { abortSignal: AbortSignal.timeout(PING_WITHIN_MS) });
  } catch (error) {
    const fault = toFault(error, nameOf(source));
    if (fault.code === 'bus-entity-missing') return; // it answered
    if (!isInterrupted(fault)) throw fault;
    throw new TransientFault(
      'bus-unreachable',
      `Service Bus did not answer within ${PING_WITHIN_MS / 1_000} s.`,
      {
        cause: error,
      },
    );
  } finally {
    await receiver.close();
  }
}
