import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Body, Controller, Get, Module, Post, type DynamicModule } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startServiceBus, type ServiceBusServer } from '@twinkey/azure-local';
import {
  AccountId,
  emulatorConfig,
  RegistryEvent,
  RotationDue,
  RotationId,
  topology,
  TransientFault,
  writeMessage,
  type Message,
} from '@twinkey/contracts';
import { appendOutbox } from '@twinkey/journal';
import { OnMessage } from '@twinkey/nest-service-bus';
import { testDatabase, until, type TestDatabase } from '@twinkey/testing';
import { z } from 'zod';
import { Allow } from './access/access.guard.js';
import { HttpProblem } from './problem.js';
import { ConfigurationError } from '@twinkey/settings';
import type { ServiceDefinition, ServiceParts } from './service.js';
import { startService, type RunningService } from './start-service.js';
import { rotationTrace } from './traces/rotation-trace.js';

const due = writeMessage(RotationDue, {
  id: 'r-0123456789ab:due',
  source: 'twinkey/scheduler',
  subject: 'a',
  time: new Date('2031-04-01T00:00:00Z'),
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  data: {
    rotationId: RotationId.parse('r-0123456789ab'),
    account: AccountId.parse(
      '/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a',
    ),
    dueAt: '2031-04-01T00:00:00Z',
    reason: 'interval',
  },
});

/** What the handler of the service under test does; a test replaces it. */
let handle: (message: Message<RotationDue>, parts: ServiceParts) => Promise<void>;
let parts: ServiceParts | undefined;

@Controller()
class Handlers {
  @OnMessage(RotationDue)
  async handle(message: Message<RotationDue>): Promise<void> {
    if (parts === undefined) throw new Error('not started');
    await handle(message, parts);
  }
}

@Allow('read')
@Controller('things')
class ThingsController {
  @Get('conflict')
  conflict(): never {
    throw new HttpProblem(409, 'rotation-open', 'A rotation is open.');
  }

  @Get('defect')
  defect(): never {
    throw new TypeError('x is undefined');
  }

  @Post()
  create(@Body() body: unknown): object {
    return z.object({ name: z.string() }).parse(body);
  }
}

@Module({ controllers: [Handlers, ThingsController] })
class RotatorModule {}

const definition = (background: string[] = []): ServiceDefinition => ({
  name: 'rotator',
  variables: [],
  migrations: [],
  sources: () => [{ source: { queue: 'rotation-due' } }],
  module: (given): DynamicModule => {
    parts = given;
    return { module: RotatorModule };
  },
  background: () => [
    {
      name: 'sweep',
      start: () => void background.push('started'),
      stop: () => Promise.resolve(void background.push('stopped')),
    },
  ],
});

type Entities = Parameters<typeof startServiceBus>[0]['topology'];
const entities = emulatorConfig(topology({ shards: 1 })) as NonNullable<Entities>;
const startBus = (port = 0) => startServiceBus({ port, allowAnySas: true, topology: entities });

let bus: ServiceBusServer;
let database: TestDatabase;
let running: RunningService | undefined;
let lines: Record<string, unknown>[];

const environmentOf = () => ({
  DATABASE_URL: database.url,
  SERVICEBUS_CONNECTION_STRING: `Endpoint=sb://127.0.0.1:${bus.port};SharedAccessKeyName=root;SharedAccessKey=hush;UseDevelopmentEmulator=true`,
  TWINKEY_ROTATOR_PORT: '0',
});

async function start(more: Record<string, string> = {}, given = definition()): Promise<RunningService> {
  running = await startService(given, {
    environment: { ...environmentOf(), ...more },
    write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  });
  return running;
}

async function get(path: string, init?: RequestInit) {
  const response = await fetch(`${running?.url ?? ''}${path}`, init);
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    body: (await response.json()) as Record<string, unknown>,
  };
}

interface SentSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly links?: readonly { readonly spanId: string }[];
}

/** The spans of a request to a collector. */
function spansIn(sent: string): SentSpan[] {
  const [, path, body] = /^(\S+) (.*)$/s.exec(sent) ?? [];
  expect(path).toBe('/v1/traces');
  const { resourceSpans } = JSON.parse(body ?? '') as {
    resourceSpans: { scopeSpans: { spans: SentSpan[] }[] }[];
  };
  return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
}

const said = (pattern: RegExp) => lines.filter(({ msg }) => pattern.test(String(msg)));
const stats = (path: string) => bus.stats().entities[path];

beforeEach(async () => {
  bus = await startBus();
  database = await testDatabase();
  lines = [];
  handle = () => Promise.resolve();
});

afterEach(async () => {
  await running?.stop();
  running = undefined;
  await bus.close();
  await database.drop();
});

describe('a service with its neighbours there', () => {
  it('becomes ready, and starts and stops its background work', async () => {
    const background: string[] = [];
    const service = await start({}, definition(background));
    await service.ready;
    expect(await get('/health/live')).toMatchObject({ status: 200, body: { status: 'alive' } });
    expect(await get('/health/ready')).toMatchObject({
      status: 200,
      body: { status: 'ready', checks: { database: { status: 'up' }, bus: { status: 'up' } } },
    });
    expect(background).toEqual(['started']);
    expect(await service.stop()).toBe(true);
    expect(background).toEqual(['started', 'stopped']);
    await expect(fetch(`${service.url}/health/live`)).rejects.toThrow();
  });

  it('handles a message and sends what the handler committed', async () => {
    handle = async (message, { database: { kysely }, clock }) => {
      const event = writeMessage(RegistryEvent, {
        id: `${message.id}:seen`,
        source: 'twinkey/rotator',
        subject: 'a',
        time: clock(),
        data: {
          version: 1,
          at: clock().toISOString(),
          what: { event: 'account-withdrawn', account: message.data.account, reason: 'test' },
        },
      });
      await kysely
        .transaction()
        .execute((trx) =>
          appendOutbox(trx, [{ id: event.id, entity: 'registry-events', body: event, orderKey: 'a' }]),
        );
    };
    const { ready } = await start();
    await ready;
    await parts?.bus.send('rotation-due', [{ id: due.id, body: due, subject: 'a' }]);
    await until(() => stats('registry-events/Subscriptions/console')?.active === 1);
    expect(stats('rotation-due')).toMatchObject({ active: 0, dead: 0 });
  });

  it('answers every error of a request with problem+json', async () => {
    const { ready } = await start();
    await ready;
    const json = { 'content-type': 'application/json' };
    expect(await get('/things/conflict')).toEqual({
      status: 409,
      type: 'application/problem+json; charset=utf-8',
      body: expect.objectContaining({ code: 'rotation-open', title: 'Conflict' }),
    });
    expect(await get('/nowhere')).toMatchObject({ status: 404, body: { code: 'not-found' } });
    expect(await get('/things', { method: 'POST', headers: json, body: '{}' })).toMatchObject({
      status: 400,
      body: { code: 'invalid-request', detail: expect.stringContaining('name') },
    });
    expect(await get('/things', { method: 'POST', headers: json, body: '{oops' })).toMatchObject({
      status: 400,
      type: 'application/problem+json; charset=utf-8',
    });
    const defect = await get('/things/defect');
    expect(defect).toMatchObject({ status: 500, body: { code: 'defect' } });
    expect(JSON.stringify(defect)).not.toContain('undefined');
    expect(said(/met a defect/)).toHaveLength(1);
  });

  it('logs what a handler does with the trace of its message', async () => {
    handle = (_message, { log }) => {
      log.info({}, 'seen');
      return Promise.resolve();
    };
    const { ready } = await start();
    await ready;
    await parts?.bus.send('rotation-due', [{ id: due.id, body: due, traceparent: due.traceparent ?? '' }]);
    await until(() => said(/^seen$/).length === 1);
    expect(said(/^seen$/)[0]).toMatchObject({
      messageId: due.id,
      traceId: '0af7651916cd43dd8448eb211c80319c',
      service: 'rotator',
    });
  });
});

describe('the port of health and metrics', () => {
  it('answers both to anyone who reaches it, and nothing else', async () => {
    const { ready, metricsUrl, url } = await start();
    await ready;
    expect(metricsUrl).not.toBe(url);
    expect((await fetch(`${metricsUrl}/health/ready`)).status).toBe(200);
    expect((await fetch(`${metricsUrl}/things/conflict`)).status).toBe(404);
    expect((await fetch(`${metricsUrl}/metrics`, { method: 'POST' })).status).toBe(404);
    await get('/things/conflict');
    await parts?.bus.send('rotation-due', [{ id: due.id, body: due }]);
    const handled = `twinkey_messages_handled_total{type="${RotationDue.type}",outcome="complete"} 1`;
    const lines = await until(async () => {
      const text = await (await fetch(`${metricsUrl}/metrics`)).text();
      return text.includes(handled) && text.split('\n');
    });
    expect(lines).toContain(
      'twinkey_http_request_seconds_count{method="GET",route="/things/conflict",status="409"} 1',
    );
    expect(lines).toContain('twinkey_outbox_oldest_seconds 0');
    expect(lines).toContain(handled.replace('complete"} 1', 'dead-letter"} 0'));
    expect(lines.filter((line) => line.startsWith('process_resident_memory_bytes '))).toHaveLength(1);
  });

  it('shows how many messages nobody handles without repeating their words', async () => {
    const { ready, metricsUrl } = await start();
    await ready;
    await parts?.bus.send('rotation-due', [{ id: 'x', body: { type: 'a-secret-word' } }]);
    const dead = 'twinkey_messages_handled_total{type="other",outcome="dead-letter"} 1';
    const text = await until(async () => {
      const said = await (await fetch(`${metricsUrl}/metrics`)).text();
      return said.includes(dead) && said;
    });
    expect(text).not.toContain('a-secret-word');
  });

  it('says which setting to change when another program has it', async () => {
    const { metricsUrl } = await start();
    await expect(
      startService(definition(), {
        environment: { ...environmentOf(), TWINKEY_METRICS_PORT: new URL(metricsUrl).port },
        write: () => undefined,
      }),
    ).rejects.toThrow(/TWINKEY_METRICS_PORT must name a port that is free/);
  });
});

describe('a service with a collector of traces', () => {
  it('sends what it does for a rotation, as far as the bus, in the trace of that rotation and without secrets', async () => {
    const bodies: string[] = [];
    const collector = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      request.on('end', () => {
        bodies.push(`${request.url ?? ''} ${body}`);
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    const { port } = collector.address() as AddressInfo;
    handle = ({ data }, { database: { kysely }, log }) =>
      kysely.transaction().execute(async (trx) => {
        log.info({}, 'seen');
        await appendOutbox(trx, [{ id: 'asked', entity: 'switch-requests', body: data, orderKey: 'a' }]);
      });
    const service = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}/` });
    await service.ready;
    await parts?.bus.send('rotation-due', [{ id: due.id, body: due, traceparent: due.traceparent ?? '' }]);
    await until(() => stats('switch-requests')?.active === 1);
    expect(await service.stop()).toBe(true);
    collector.close();

    const { traceId, spanId } = rotationTrace(due.data.rotationId);
    const spans = bodies.flatMap((body) => spansIn(body));
    expect(spans.map(({ name }) => name).sort()).toEqual([
      `handle ${RotationDue.type}`,
      'send switch-requests',
    ]);
    expect(new Set(spans.map((each) => each.traceId))).toEqual(new Set([traceId]));
    const handled = spans.find(({ name }) => name.startsWith('handle'));
    expect(handled).toMatchObject({ parentSpanId: spanId, links: [{ spanId: 'b7ad6b7169203331' }] });
    expect(spans.find(({ name }) => name.startsWith('send'))).toMatchObject({
      parentSpanId: handled?.spanId,
    });
    expect(said(/^seen$/)[0]).toMatchObject({ messageId: due.id, traceId });
    expect(bodies.join()).toContain('twinkey-rotator');
    expect(bodies.join()).not.toContain('hush');
  });
});

describe('a service that is stopped in the middle of a message', () => {
  it('lets the handler end, completes the message and sends its outbox', async () => {
    let entered = false;
    let finish: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    handle = async (message, { database: { kysely } }) => {
      entered = true;
      await finished;
      await kysely
        .transaction()
        .execute((trx) =>
          appendOutbox(trx, [{ id: 'out-1', entity: 'switch-requests', body: message, orderKey: 'a' }]),
        );
    };
    const service = await start();
    await service.ready;
    await parts?.bus.send('rotation-due', [{ id: due.id, body: due }]);
    await until(() => entered);
    const stopped = service.stop();
    expect(await get('/health/ready')).toMatchObject({ status: 503, body: { status: 'stopping' } });
    finish();
    expect(await stopped).toBe(true);
    expect(stats('rotation-due')).toMatchObject({ active: 0, dead: 0 });
    expect(stats('switch-requests')).toMatchObject({ active: 1 });
  });

  it('gives back a message that fails, and the next process handles it', async () => {
    let deliveries = 0;
    handle = () => {
      deliveries += 1;
      return deliveries === 1 ? Promise.reject(new TransientFault('x', 'Not now.')) : Promise.resolve();
    };
    const service = await start();
    await service.ready;
    await parts?.bus.send('rotation-due', [{ id: due.id, body: due }]);
    await until(() => deliveries === 1);
    expect(await service.stop()).toBe(true);
    expect(stats('rotation-due')).toMatchObject({ active: 1, dead: 0 });
    await (
      await start()
    ).ready;
    await until(() => deliveries === 2 && stats('rotation-due')?.active === 0);
  });
});

describe('a service without its broker', () => {
  it('lives, says why it is not ready, and becomes so when the broker is there', async () => {
    const { port } = bus;
    await bus.close();
    const service = await start();
    await until(() => said(/^Waiting for Service Bus: Service Bus does not answer/).length === 1);
    expect(await get('/health/live')).toMatchObject({ status: 200 });
    expect(await get('/health/ready')).toMatchObject({
      status: 503,
      body: { status: 'starting', checks: { bus: { status: 'down', code: 'bus-unreachable' } } },
    });
    expect(await get('/things/conflict')).toMatchObject({ status: 503, body: { code: 'starting' } });
    bus = await startBus(port);
    await service.ready;
    await until(async () => (await get('/health/ready')).status === 200);
    expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    expect(JSON.stringify(lines)).not.toContain('hush');
  });

  it('can be stopped while it waits', async () => {
    await bus.close();
    const service = await start();
    await until(() => said(/^Waiting for Service Bus/).length === 1);
    expect(await service.stop()).toBe(true);
    await service.ready;
    bus = await startBus();
  });
});

describe('a service without its database', () => {
  it('lives and says why it is not ready', async () => {
    const service = await start({ DATABASE_URL: 'postgres://twinkey:hush@127.0.0.1:1/x' });
    await until(
      () => said(/^Waiting for the database: PostgreSQL at 127.0.0.1:1 does not answer/).length === 1,
    );
    expect(await get('/health/ready')).toMatchObject({
      status: 503,
      body: { status: 'starting', checks: { database: { code: 'database-unreachable' } } },
    });
    expect(await service.stop()).toBe(true);
    expect(JSON.stringify(lines)).not.toContain('hush');
  });

  it('does not start with one that it can never use', async () => {
    const missing = new URL(database.url);
    missing.pathname = '/nowhere';
    const service = await start({ DATABASE_URL: missing.toString() });
    await expect(service.ready).rejects.toMatchObject({ code: 'database-missing' });
  });
});

describe('a service with wrong settings', () => {
  it('does not start at all', async () => {
    await expect(start({ TWINKEY_LOG_LEVEL: 'loud' })).rejects.toThrow(ConfigurationError);
  });
});
