import 'reflect-metadata';
import { RequestMethod } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { ConsoleModule } from '../console.module.js';
import { OPERATIONS } from './operations.js';

/** `GET /v1/accounts/{name}` of every method that Nest will route to. */
function routes(): string[] {
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
      return [`${RequestMethod[method] ?? ''} ${whole.replaceAll(/:(\w+)/g, '{$1}')}`];
    });
  });
}

describe('the list of operations', () => {
  it('has every route of the console, and no other', () => {
    const listed = OPERATIONS.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    expect(routes().sort()).toEqual([...listed, 'GET /openapi.json'].sort());
  });
});
