import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { readAzureEvents } from './azure-event.js';

const secret = sample('secret-written.event-grid');
const regenerated = sample('key-regenerated.cloud-event');

function sample(name: string): Record<string, unknown> & { readonly data: object } {
  return JSON.parse(readFileSync(new URL(`../samples-azure/${name}.json`, import.meta.url), 'utf8')) as never;
}

describe('an event of Azure', () => {
  it('that a secret has a new version names the secret, in the schema of Event Grid', () => {
    expect(readAzureEvents(secret)).toEqual({
      ok: true,
      events: [
        {
          id: '00eccf70-95a7-4e7c-8299-2eb17ee9ad64',
          at: Date.parse('2026-07-25T01:08:33.103Z'),
          is: 'secret-written',
          vaultUrl: 'https://keys.vault.azure.net',
          name: 'speech-prod',
          version: 'ee059b2bb5bc48398a53b168c6cdcb10',
        },
      ],
    });
  });

  it('that a key was regenerated names the account in our spelling, in the schema of CloudEvents', () => {
    expect(readAzureEvents(regenerated)).toMatchObject({
      ok: true,
      events: [
        {
          is: 'key-regenerated',
          account:
            '/subscriptions/5b4b650e/resourceGroups/ai/providers/Microsoft.CognitiveServices/accounts/speech-prod',
        },
      ],
    });
  });

  it('may come with others in one message', () => {
    const read = readAzureEvents([secret, regenerated]);
    expect(read.ok ? read.events.map(({ is }) => is) : []).toEqual(['secret-written', 'key-regenerated']);
  });

  it.each([
    {
      ...regenerated,
      data: { ...regenerated.data, operationName: 'Microsoft.CognitiveServices/accounts/listKeys/action' },
    },
    { ...regenerated, data: { ...regenerated.data, resourceUri: '/subscriptions/s/resourceGroups/g' } },
    { ...regenerated, type: 'Microsoft.Resources.ResourceWriteSuccess' },
    { ...secret, eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent', data: {} },
  ])('that is about something else is none of our business', (event) => {
    expect(readAzureEvents(event)).toMatchObject({ ok: true, events: [{ is: 'something-else' }] });
  });

  it.each([
    ['no event at all', 'hello'],
    ['an event without a type', { ...regenerated, type: undefined }],
    ['an event of no time', { ...regenerated, time: 'yesterday' }],
    ['a secret without its id', { ...secret, data: { VaultName: 'keys' } }],
    ['an action without its account', { ...regenerated, data: null }],
  ])('is refused with the reason when it is %s', (_, body) => {
    expect(readAzureEvents(body)).toMatchObject({ ok: false, problem: expect.stringMatching(/./) });
  });
});
