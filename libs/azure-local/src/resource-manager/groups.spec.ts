import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { start, type AzureLocal } from '../host/start.js';
import { applicationToken } from '../testing/application-token.js';

jest.setTimeout(30_000); // starting and signing take their time on a busy machine

let azure: AzureLocal;

beforeAll(async () => {
  azure = await start({
    dataDir: mkdtempSync(join(tmpdir(), 'groups-')),
    limits: { arm: 'off' },
    fleet: [
      { name: 'one', resourceGroup: 'rg-one' },
      { name: 'two', resourceGroup: 'rg-two' },
    ],
    applications: [
      { name: 'of-one', assignments: [{ role: 'Cognitive Services User', scope: 'resourceGroups/rg-one' }] },
      { name: 'reader', assignments: [{ role: 'Cognitive Services Contributor' }] },
      { name: 'elsewhere', assignments: [{ role: 'Reader', scope: '/subscriptions/another' }] },
      { name: 'nobody' },
    ],
  });
});
afterAll(() => azure.close());

async function ask(who: string, method: string, path: string, body?: unknown) {
  const token = await applicationToken(azure, who, 'https://management.azure.com/.default');
  const below = path.startsWith('/subscriptions') ? path : `/subscriptions/${azure.subscriptionId}${path}`;
  const answer = await azure.call(`${below}?api-version=2021-04-01`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    body,
  });
  return { status: answer.status, body: answer.text === '' ? undefined : answer.json() };
}

const namesOf = (body: unknown) => (body as { value: { name: string }[] }).value.map(({ name }) => name);

describe('a resource group', () => {
  it('is made with place and tags, found in any spelling, changed, and deleted with what is in it', async () => {
    const made = await ask('default', 'PUT', '/resourcegroups/RG-New', {
      location: 'North Europe',
      tags: { team: 'a' },
    });
    expect(made).toMatchObject({
      status: 201,
      body: {
        name: 'RG-New',
        type: 'Microsoft.Resources/resourceGroups',
        location: 'northeurope',
        tags: { team: 'a' },
        properties: { provisioningState: 'Succeeded' },
      },
    });
    const again = await ask('default', 'PUT', '/resourcegroups/rg-new', { location: 'northeurope' });
    expect(again).toMatchObject({ status: 200, body: { name: 'RG-New', tags: {} } });
    expect(await ask('default', 'PATCH', '/resourcegroups/rg-new', { tags: { team: 'b' } })).toMatchObject({
      status: 200,
      body: { location: 'northeurope', tags: { team: 'b' } },
    });
    expect((await ask('default', 'GET', '/resourceGroups/rg-NEW')).body).toMatchObject({ name: 'RG-New' });
    expect((await ask('default', 'HEAD', '/resourcegroups/rg-new')).status).toBe(204);
    azure.control.accounts.put({ name: 'inside', resourceGroup: 'rg-new' });
    expect((await ask('default', 'DELETE', '/resourcegroups/rg-new')).status).toBe(200);
    expect((await ask('default', 'HEAD', '/resourcegroups/rg-new')).status).toBe(404);
    expect(azure.control.accounts.names()).not.toContain('inside');
    expect(await ask('default', 'DELETE', '/resourcegroups/rg-new')).toMatchObject({
      status: 404,
      body: { error: { code: 'ResourceGroupNotFound' } },
    });
  });

  it('is not made without a place, and does not move', async () => {
    const code = async (body: unknown) =>
      ((await ask('default', 'PUT', '/resourcegroups/rg-one', body)).body as { error: { code: string } })
        .error.code;
    expect(await code({})).toBe('LocationRequired');
    expect(await code({ location: 'eastus' })).toBe('InvalidResourceGroupLocation');
  });
});

describe('an application with a role on one group', () => {
  it('sees that group and what is in it, and the subscription in the list only', async () => {
    expect(namesOf((await ask('of-one', 'GET', '/resourcegroups')).body)).toEqual(['rg-one']);
    expect(namesOf((await ask('of-one', 'GET', '/resources')).body)).toEqual(['one']);
    expect((await ask('of-one', 'GET', '/subscriptions')).body).toMatchObject({
      value: [{ subscriptionId: azure.subscriptionId }],
    });
    expect(await ask('of-one', 'GET', '')).toMatchObject({
      status: 403,
      body: { error: { message: expect.stringMatching(/'Microsoft.Resources\/subscriptions\/read'/) } },
    });
    expect((await ask('of-one', 'PUT', '/resourcegroups/rg-one', { location: 'westeurope' })).status).toBe(
      403,
    );
  });
});

describe('an application with a role on the whole subscription', () => {
  it('may read it, as the real role says', async () => {
    expect((await ask('reader', 'GET', '')).status).toBe(200);
    expect(namesOf((await ask('reader', 'GET', '/resourcegroups')).body)).toEqual(['rg-one', 'rg-two']);
  });
});

describe('an application without a role here', () => {
  it.each(['nobody', 'elsewhere'])('(%s) is shown no subscription', async (who) => {
    expect((await ask(who, 'GET', '/subscriptions')).body).toMatchObject({ value: [] });
  });
});
