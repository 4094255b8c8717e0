import 'reflect-metadata';
import { RequestMethod } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { roleOf } from '@twinkey/service';
import { ConsoleModule } from '../console.module.js';
import { OPERATIONS } from './operations.js';

/** Of every method that Nest will route to: `GET /v1/accounts/{name}` and the role that it asks for. */
function routes(): { route: string; role: string | undefined }[] {
  const { controllers = [] } = ConsoleModule.of({
    database: undefined as never,
    bus: undefined as never,
    clock: () => new Date(0),
  });
  return controllers.flatMap((controller) => {
    const prefix = String(Reflect.getMetadata('path', controller));
    const prototype = controller.prototype as Record<string, unknown>;
    return Object.getOwnPropertyNames(prototype).flatMap((name) => {
      const handler = prototype[name];
      if (typeof handler !== 'function' || name === 'constructor') return [];
      const path: unknown = Reflect.getMetadata('path', handler);
      const method: unknown = Reflect.getMetadata('method', handler);
      if (typeof path !== 'string' || typeof method !== 'number') return [];
      const whole = `/${prefix}/${path}`.replaceAll(/\/+/g, '/').replace(/(?<=.)\/$/, '');
      const route = `${RequestMethod[method] ?? ''} ${whole.replaceAll(/:(\w+)/g, '{$1}')}`;
      return [{ route, role: roleOf(handler, controller) }];
    });
  });
}

describe('the list of operations', () => {
  it('has every route of the console, and no other', () => {
    const listed = OPERATIONS.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    const found = routes().map(({ route }) => route);
    expect(found.sort()).toEqual([...listed, 'GET /openapi.json'].sort());
  });

  it('names the role that each route asks for', () => {
    const listed = OPERATIONS.map(({ method, path, role }): [string, string] => [
      `${method.toUpperCase()} ${path}`,
      role,
    ]);
    const found = Object.fromEntries(routes().map(({ route, role }) => [route, role]));
    expect(found).toEqual({ ...Object.fromEntries(listed), 'GET /openapi.json': 'read' });
    expect(listed.filter(([route]) => route.startsWith('POST')).map(([, role]) => role)).not.toContain(
      'read',
    );
  });

  it('takes an idempotency key for all that changes something, and says what another use of it is answered', () => {
    const changing = OPERATIONS.filter(({ method }) => method !== 'get');
    expect(changing.filter(({ idempotent }) => idempotent !== true).map(({ id }) => id)).toEqual([]);
    expect(changing.filter(({ problems }) => problems[422] === undefined).map(({ id }) => id)).toEqual([]);
  });
});
