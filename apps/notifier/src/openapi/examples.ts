// How each operation is asked and what it answers then, for the OpenAPI document; a spec holds each against its schema.
import type { OperationExample } from '@twinkey/service';

const account =
  '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/ai/providers/Microsoft.CognitiveServices/accounts/speech-weu';
const instance = 'i-90d2f4b7a16c3e58';
const boot = '3f1d6a52-7c0b-4c1e-9a54-2b8e6f0d1c77';
const consumer = 'support-desk';

const current = {
  account,
  name: 'speech-weu',
  generation: 7,
  secret: {
    vaultUrl: 'https://contoso-keys.vault.azure.net',
    name: 'speech-weu',
    version: 'ee059b2bb5bc48398a53b168c6cdcb10',
  },
};
const used = { key: 1204, token: 0, entra: 17, bare: false };

const webhook = {
  consumer: 'billing',
  url: 'https://billing.contoso.com/keys',
  signature: 'ed25519',
  secret: 'twinkey-webhooks',
  publicKeys: ['whpk_MCowBQYDK2VwAyEAexample0000000000000000000000='],
  accounts: ['speech-weu'],
  state: 'failing',
  since: '2026-03-02T08:30:06.000Z',
  waiting: 1,
};

const delivery = {
  delivery: 12,
  event: 'speech-weu-g7-changed-billing',
  kind: 'key-changed',
  account: 'speech-weu',
  generation: 7,
  state: 'waiting',
  createdAt: '2026-03-02T08:30:05.000Z',
  deadlineAt: '2026-03-03T08:30:04.000Z',
  nextAt: '2026-03-02T08:30:16.000Z',
  attempts: 1,
  log: [
    {
      attempt: 1,
      at: '2026-03-02T08:30:05.000Z',
      endedAt: '2026-03-02T08:30:06.000Z',
      outcome: 'retry',
      why: 'status',
      status: 503,
    },
  ],
};

const ofInstance = { params: { instance } };
const ofBilling = { params: { consumer: 'billing' } };
const by = { by: 'kim@contoso.com' };

export const EXAMPLES: Readonly<Record<string, OperationExample>> = {
  register: {
    body: {
      consumer,
      name: 'support-desk-7d4b9c-x2x9p',
      boot,
      accounts: ['speech-weu'],
      channel: 'service-bus',
    },
    answer: {
      instance,
      leaseSeconds: 60,
      heartbeatSeconds: 15,
      rereadSeconds: 120,
      accounts: [current],
      subscriptions: [{ topic: 'key-changed-0', subscription: instance }],
    },
  },
  heartbeat: {
    ...ofInstance,
    body: { boot, accounts: [{ account, generation: 7, used }] },
    answer: { leaseSeconds: 60, accounts: [current] },
  },
  leave: ofInstance,
  acknowledge: {
    ...ofBilling,
    body: { account: 'speech-weu', generation: 7 },
    answer: { account, acknowledged: 7, published: 7 },
  },
  showSwitch: {
    params: { name: 'speech-weu' },
    answer: {
      account,
      state: 'waiting',
      generation: 7,
      request: 1,
      slot: 'key2',
      publishedAt: '2026-03-02T08:30:03.000Z',
      deadlineAt: '2026-03-03T08:30:04.000Z',
      instances: [
        {
          instance,
          consumer,
          standing: 'live',
          missing: true,
          waived: false,
          acknowledged: 6,
          lastSeenAt: '2026-03-02T08:30:50.000Z',
          used,
        },
      ],
      declared: [{ consumer, minimum: 1, tooFew: false, deadlineAt: '2026-03-03T08:30:04.000Z' }],
    },
  },
  listConsumers: {
    answer: {
      consumers: [
        {
          consumer,
          live: 1,
          lapsed: 0,
          accounts: ['speech-weu'],
          lastSeenAt: '2026-03-02T08:30:50.000Z',
          used,
          refusals: [],
        },
      ],
    },
  },
  listWebhooks: { answer: { webhooks: [webhook] } },
  listDeliveries: { ...ofBilling, query: { limit: 20 }, answer: { deliveries: [delivery] } },
  testWebhook: { ...ofBilling, body: by, answer: { delivery: 13 } },
  resend: { params: { consumer: 'billing', delivery: '12' }, body: by, answer: { delivery: 12 } },
};
