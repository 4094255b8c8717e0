import { describe, expect, it } from '@jest/globals';
import { Directory, type Application } from '../entra/state.js';
import { inMemory } from '../host/persist.js';
import type { Incoming } from '../host/plugin.js';
import { answerInGroup } from './account-answers.js';
import { Groups, type StoredGroup } from './groups.js';
import { recogniseArm } from './protocol.js';
import { Accounts, type Account } from './state.js';

function situation(provisioningMs: number) {
  const clock = { now: 1_000_000 };
  const accounts = new Accounts(inMemory<Account>(), () => clock.now);
  const options = {
    accounts,
    groups: new Groups(inMemory<StoredGroup>([['rg', 'rg']])),
    directory: new Directory('t', 's', inMemory<Application>()),
    pageSize: 10,
    refuseName: () => undefined,
    provisioningMs: () => provisioningMs,
  };
  const ask = (method: string, rest = '', body?: unknown) => {
    const path = `subscriptions/s/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/a${rest}`;
    const request: Incoming = {
      method,
      segments: path.split('/'),
      query: new URLSearchParams(),
      headers: {},
      body: Buffer.from(body === undefined ? '' : JSON.stringify(body)),
      origin: 'https://localhost',
    };
    return answerInGroup(recogniseArm(request), request, {}, options);
  };
  return { clock, accounts, ask };
}

const good = { kind: 'OpenAI', location: 'westeurope', sku: { name: 'S0' } };
const conflict = { status: 409, body: { error: { code: 'RequestConflict' } } };

describe('an account that Azure is still making', () => {
  it('says so, lists its keys, and refuses every change until it is ready', () => {
    const { clock, ask } = situation(5_000);
    expect(ask('PUT', '', good)).toMatchObject({
      status: 201,
      body: { properties: { provisioningState: 'Accepted' } },
    });
    const attempts = () => [
      ask('PUT', '', good),
      ask('PATCH', '', { tags: {} }),
      ask('POST', '/regenerateKey', { keyName: 'Key1' }),
      ask('DELETE'),
    ];
    expect(attempts()).toMatchObject([conflict, conflict, conflict, conflict]);
    expect(ask('POST', '/listKeys').status).toBe(200);
    clock.now += 5_000;
    expect(ask('GET').body).toMatchObject({ properties: { provisioningState: 'Succeeded' } });
    expect(ask('POST', '/regenerateKey', { keyName: 'Key1' }).status).toBe(200);
  });
});

describe('an account that somebody else is changing', () => {
  it('refuses a regeneration meanwhile', () => {
    const { clock, accounts, ask } = situation(0);
    ask('PUT', '', good);
    accounts.hold('A', 1_000);
    expect(ask('POST', '/regenerateKey', { keyName: 'Key2' })).toMatchObject(conflict);
    clock.now += 1_000;
    expect(ask('POST', '/regenerateKey', { keyName: 'Key2' }).status).toBe(200);
  });
});
