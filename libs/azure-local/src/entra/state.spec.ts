import { describe, expect, it } from '@jest/globals';
import { inMemory } from '../host/persist.js';
import { Directory, type Application } from './state.js';

const directory = () => new Directory('tenant', 'subscription', inMemory<Application>());

describe('an application that is registered again', () => {
  it('keeps its ids and its secret while its roles change', () => {
    const tenant = directory();
    const before = tenant.register({ name: 'worker', assignments: [{ role: 'Reader' }] });
    const after = tenant.register({ name: 'worker' });
    expect(after).toEqual({ ...before, assignments: [] });
    expect(tenant.permits(before.clientId, { action: 'x/read', scope: '/subscriptions/subscription' })).toBe(
      false,
    );
  });

  it('is known by its new client id only, when that changes', () => {
    const tenant = directory();
    const before = tenant.register({ name: 'worker' });
    tenant.register({ name: 'worker', clientId: 'AAAA' });
    expect(tenant.application(before.clientId)).toBeUndefined();
    expect(tenant.application('aaaa')?.name).toBe('worker');
  });
});

describe('what a definition leaves out', () => {
  it('is made by the chance that the directory was given', () => {
    let next = 0;
    const chance = { id: () => `id-${++next}`, secret: () => 'by-chance' };
    const tenant = new Directory('tenant', 'subscription', inMemory<Application>(), chance);
    expect(tenant.register({ name: 'worker' })).toMatchObject({
      clientId: 'id-1',
      objectId: 'id-2',
      clientSecret: 'by-chance',
    });
  });
});

describe('an application with a role that Azure does not know', () => {
  it('is refused with the names of those that it does', () => {
    expect(() => directory().register({ name: 'worker', assignments: [{ role: 'Key Master' }] })).toThrow(
      /"worker": no role "Key Master".*Key Vault Secrets User/,
    );
  });
});

describe('an application with an app role of an API', () => {
  it('holds it in tokens for that API, under whichever of its names', () => {
    const tenant = directory();
    const api = tenant.register({ name: 'api', identifierUris: ['api://notices'] });
    const caller = tenant.register({
      name: 'caller',
      appRoles: [{ resource: 'api://notices', role: 'Report' }],
    });
    expect(tenant.appRoles(caller, 'api://notices')).toEqual(['Report']);
    expect(tenant.appRoles(caller, api.clientId)).toEqual(['Report']);
    expect(tenant.appRoles(caller, 'https://vault.azure.net')).toEqual([]);
  });
});

describe('a client secret', () => {
  it('is compared whole', () => {
    const tenant = directory();
    const application = tenant.register({ name: 'worker', clientSecret: 'correct' });
    expect(tenant.hasSecret(application, 'correct')).toBe(true);
    expect(tenant.hasSecret(application, 'correc')).toBe(false);
    expect(tenant.hasSecret(application, '')).toBe(false);
  });
});
