// For specs: who gets through to which route of a service. The service is made as it runs, with its guard and its
// limits, but over neighbours that do not exist; where the guard lets a request through, nothing is behind it.
import { readFile, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ServiceDefinition, ServiceParts } from '../service.js';
import { createApp } from '../create-app.js';
import { ServiceHealth } from '../health.js';
import type { Log } from '../log.js';
import { NO_METRICS } from '../metrics/metrics.js';
import { HttpProblem } from '../problem.js';
import { ROLES, type Role } from './caller.js';
import { readConfig, type Environment, type VariableName } from '@twinkey/settings';

/** Who asks: without a token, or with one that carries these app roles. */
export const CALLERS: Readonly<Record<string, readonly string[] | undefined>> = {
  'no token': undefined,
  'no role': [],
  'other roles': ['Directory.Read.All', 'twinkey.owner', 'read', 'admin'],
  read: ['twinkey.read'],
  operate: ['twinkey.operate'],
  admin: ['twinkey.admin'],
  consumer: ['twinkey.consumer'],
  'one consumer': ['twinkey.consumer.desk'],
};

export interface RouteAccess {
  /** `GET /v1/accounts/:name` */
  readonly route: string;
  /** By caller: `yes`, or the status of the refusal. */
  readonly verdicts: Readonly<Record<string, string>>;
}

const log: Log = (() => {
  const silent = () => undefined;
  const one: Log = { debug: silent, info: silent, warn: silent, error: silent, child: () => one };
  return one;
})();

const REACHED = 418;

/** Asks every route that the running application has as every caller. */
export async function accessMatrix<Names extends VariableName>(
  definition: ServiceDefinition<Names>,
  environment: Environment = {},
): Promise<readonly RouteAccess[]> {
  const health = new ServiceHealth();
  health.started();
  const app = await createApp(definition.module(partsOver(definition, environment, health)), {
    log,
    health,
    metrics: NO_METRICS,
    access: {
      audience: 'api://twinkey',
      // A token is the list of its roles here; what makes one count has specs of its own.
      verify: (token) =>
        Promise.resolve({ claims: { oid: 'o-1', roles: JSON.parse(atob(token)) as string[] } }),
    },
  });
  // After guards and before anything of a route itself: pipes, the handler, the database.
  app.useGlobalInterceptors({
    intercept: () => {
      throw new HttpProblem(REACHED, 'reached', 'Let through.');
    },
  });
  const agent = new Agent({ keepAlive: true });
  const routes: { method: string; url: string }[] = [];
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRoute', ({ method, url }) => {
      for (const each of [method].flat()) routes.push({ method: each, url });
    });
  try {
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as AddressInfo;
    const rows: RouteAccess[] = [];
    for (const { method, url } of routes) {
      const verdicts: Record<string, string> = {};
      for (const [caller, roles] of Object.entries(CALLERS)) {
        verdicts[caller] = await verdictOn({ port, agent }, { method, url, roles });
      }
      rows.push({ route: `${method} ${url}`, verdicts });
    }
    return foldHeads(rows);
  } finally {
    agent.destroy();
    await app.close();
  }
}

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly roles: readonly string[] | undefined;
}

function verdictOn(to: { port: number; agent: Agent }, { method, url, roles }: Asked): Promise<string> {
  const path = url.replaceAll(/:\w+/g, 'x');
  const headers = roles === undefined ? {} : { authorization: `Bearer ${btoa(JSON.stringify(roles))}` };
  return new Promise((resolve, reject) => {
    request({ ...to, host: '127.0.0.1', method, path, headers })
      .on('response', (answer) => {
        answer.resume().on('end', () => {
          resolve(answer.statusCode === REACHED ? 'yes' : String(answer.statusCode));
        });
      })
      .on('error', reject)
      .end();
  });
}

/** HEAD comes with each GET; where it is judged alike it needs no line of its own. */
function foldHeads(rows: readonly RouteAccess[]): readonly RouteAccess[] {
  const known = new Map(rows.map(({ route, verdicts }) => [route, JSON.stringify(verdicts)]));
  return rows.filter(
    ({ route, verdicts }) =>
      !route.startsWith('HEAD ') || known.get(route.replace(/^HEAD/, 'GET')) !== JSON.stringify(verdicts),
  );
}

function partsOver<Names extends VariableName>(
  { name, variables }: ServiceDefinition<Names>,
  environment: Environment,
  health: ServiceHealth,
): ServiceParts<Names> {
  const config = readConfig(name, variables, {
    DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing',
    TWINKEY_SERVICE_BUS_NAMESPACE: 'nothing.servicebus.windows.net',
    TWINKEY_API_AUDIENCE: 'api://twinkey',
    AZURE_TENANT_ID: '00000000-0000-0000-0000-000000000000',
    ...environment,
  });
  // A module keeps what it is handed; nobody gets as far as asking one of these.
  return {
    name,
    config,
    database: { kysely: {} },
    bus: {},
    credential: { getToken: () => Promise.resolve(null) },
    log,
    relay: {},
    clock: () => new Date(0),
    health,
    metrics: NO_METRICS,
  } as unknown as ServiceParts<Names>;
}

/** Each route as documents write it, `GET /v1/accounts/{name}`, and the smallest role that opens it; without health. */
export function rolesOf(rows: readonly RouteAccess[]): Readonly<Record<string, Role | undefined>> {
  const asking = rows.filter(({ verdicts }) => verdicts['no token'] !== 'yes');
  return Object.fromEntries(
    asking.map(({ route, verdicts }) => [
      route.replaceAll(/:(\w+)/g, '{$1}'),
      ROLES.find((role) => verdicts[role] === 'yes'),
    ]),
  );
}

/** The matrix as a table for people, a line per route. */
export function tableOf(rows: readonly RouteAccess[]): readonly string[] {
  const cells = [
    ['route', ...Object.keys(CALLERS)],
    ...rows.map(({ route, verdicts }) => [route, ...Object.keys(CALLERS).map((one) => verdicts[one] ?? '')]),
  ];
  const widths =
    cells[0]?.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = cells.map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`,
  );
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [...lines.slice(0, 1), rule, ...lines.slice(1)];
}

const PAGE = new URL('../../../../docs/reference/access.md', import.meta.url);
const isRow = (line: string) => line.startsWith('|');

/** The table that docs/reference/access.md has of a service; with UPDATE_REFERENCE set, this one is written there before. */
export async function inReference(service: string, table: readonly string[]): Promise<readonly string[]> {
  const page = await readFile(PAGE, 'utf8');
  if (process.env['UPDATE_REFERENCE']) await writeFile(PAGE, withTable(page, service, table));
  return sectionOf(await readFile(PAGE, 'utf8'), service)
    .split('\n')
    .filter(isRow);
}

function sectionOf(page: string, service: string): string {
  return page.split('\n## ').find((section) => section.startsWith(`${service}\n`)) ?? '';
}

function withTable(page: string, service: string, table: readonly string[]): string {
  const section = sectionOf(page, service);
  const prose = section.split('\n').filter((line) => !isRow(line));
  return page.replace(section, () => `${prose.join('\n').trimEnd()}\n\n${table.join('\n')}\n`);
}
