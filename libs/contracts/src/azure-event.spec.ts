import { describe, expect, it } from '@jest/globals';
import { readAzureEvents } from './azure-event.js';

const uri =
  '/subscriptions/5b4b650e/resourceGroups/AI/providers/Microsoft.CognitiveServices/accounts/Speech-Prod';
const secret = {
  id: '00eccf70-95a7-4e7c-8299-2eb17ee9ad64',
  topic: '/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/keys',
  subject: 'speech-prod',
  eventType: 'Microsoft.KeyVault.SecretNewVersionCreated',
  eventTime: '2026-07-25T01:08:33.1036736Z',
  data: {
    Id: 'https://keys.vault.azure.net/secrets/speech-prod/ee059b2bb5bc48398a53b168c6cdcb10',
    VaultName: 'keys',
    ObjectType: 'Secret',
    ObjectName: 'speech-prod',
    Version: 'ee059b2bb5bc48398a53b168c6cdcb10',
  },
  dataVersion: '1',
  metadataVersion: '1',
};
const regenerated = {
  specversion: '1.0',
  source: '/subscriptions/5b4b650e',
  subject: uri,
  type: 'Microsoft.Resources.ResourceActionSuccess',
  id: '4f6e7a1c',
  time: '2026-07-25T01:08:33.1036736Z',
  data: {
    resourceUri: uri,
    operationName: 'Microsoft.CognitiveServices/accounts/regenerateKey/action',
    status: 'Succeeded',
  },
};

describe('an event of Azure', () => {
  it('that a secret has a new version names the secret, in the schema of Event Grid', () => {
    expect(readAzureEvents(secret)).toEqual({
      ok: true,
      events: [
        {
          id: secret.id,
          at: Date.parse(secret.eventTime),
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
