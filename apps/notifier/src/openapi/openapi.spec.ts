import 'reflect-metadata';
import { readFile, writeFile } from 'node:fs/promises';
import { RequestMethod } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { roleOf } from '@twinkey/service';
import { NotifierModule } from '../notifier.module.js';
import { openApiDocument } from './openapi.js';
import { OPERATIONS } from './operations.js';

const page = new URL('../../../../docs/reference/openapi-notifier.json', import.meta.url);

describe('the OpenAPI document of the notifier', () => {
  it('is what the schemas say; UPDATE_REFERENCE=1 node tools/nx.mjs run @twinkey/notifier:test writes it anew', async () => {
    const document = JSON.stringify(openApiDocument(), null, 2);
    if (process.env['UPDATE_REFERENCE']) await writeFile(page, `${document}\n`);
    const committed: unknown = JSON.parse(await readFile(page, 'utf8'));
    expect(committed).toEqual(JSON.parse(document));
  });

  it('has every route of the notifier with its role and status, and no other', () => {
    const listed = OPERATIONS.map(
      ({ method, path, role, status }) => `${method.toUpperCase()} ${path} ${role} ${status}`,
    );
    // The document does not describe itself.
    const described = routes().filter((route) => route !== 'GET /openapi.json read 200');
    expect(described.sort()).toEqual(listed.sort());
  });
});

/** Of every method that Nest will route to: `POST /v1/instances consumer 201`. */
function routes(): string[] {
  const nothing = undefined as never;
  const { controllers = [] } = NotifierModule.with({ shell: nothing, lookout: nothing, webhooks: nothing });
  return controllers.flatMap((controller) => {
    const prefix = Reflect.getMetadata('path', controller) as string | undefined;
    const prototype = controller.prototype as Record<string, unknown>;
    return Object.getOwnPropertyNames(prototype).flatMap((name) => {
      const handler = prototype[name];
      if (typeof handler !== 'function' || name === 'constructor') return [];
      const path: unknown = Reflect.getMetadata('path', handler);
      const method: unknown = Reflect.getMetadata('method', handler);
      if (typeof path !== 'string' || typeof method !== 'number') return [];
      const whole = `/${prefix ?? ''}/${path}`.replaceAll(/\/+/g, '/').replace(/(?<=.)\/$/, '');
      const verb = RequestMethod[method] ?? '';
      const code = (Reflect.getMetadata('__httpCode__', handler) as number | undefined) ?? 200;
      const status = verb === 'POST' && !Reflect.hasMetadata('__httpCode__', handler) ? 201 : code;
      return [
        `${verb} ${whole.replaceAll(/:(\w+)/g, '{$1}')} ${roleOf(handler, controller) ?? ''} ${status}`,
      ];
    });
  });
}
