// How each operation is asked and what it answers then: one rotation of one account, as it would be seen halfway.
// They stand in the OpenAPI document; a spec holds each against the schemas of its operation.
import type { OperationExample } from '@twinkey/service';

const accountId =
  '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/ai/providers/Microsoft.CognitiveServices/accounts/speech-weu';
const account = 'speech-weu';
const rotation = 'r-1f5a3c2b9d80';

const waits = {
  step: 'switch-to-key2',
  for: 'acknowledgements',
  detail: '1 of 2 instances of support-desk has not acknowledged generation 8.',
  since: '2026-03-02T08:30:04.000Z',
  until: '2026-03-03T08:30:04.000Z',
};

const rotationView = {
  id: rotation,
  account,
  accountId,
  scope: 'both',
  slot: null,
  state: 'waiting',
  by: 'kim@contoso.com',
  reason: 'quarterly',
  requestedAt: '2026-03-02T08:30:00.000Z',
  step: 'switch-to-key2',
  steps: [
    {
      step: 'switch-to-key2',
      state: 'running',
      startedAt: '2026-03-02T08:30:01.000Z',
      doneAt: null,
      seconds: null,
    },
    { step: 'regenerate-key1', state: 'pending', startedAt: null, doneAt: null, seconds: null },
    { step: 'switch-to-key1', state: 'pending', startedAt: null, doneAt: null, seconds: null },
    { step: 'regenerate-key2', state: 'pending', startedAt: null, doneAt: null, seconds: null },
  ],
  waiting: waits,
  halt: null,
  refusal: null,
  waived: [],
  completedAt: null,
  seconds: null,
  keysReplaced: null,
  lastEventAt: '2026-03-02T08:30:04.000Z',
};

const event = {
  position: 4711,
  account,
  accountId,
  rotation,
  sequence: 43,
  at: '2026-03-02T08:30:01.000Z',
  event: 'step-started',
  what: { event: 'step-started', step: 'switch-to-key2' },
};

const progress = { consumer: 'support-desk', live: 2, acknowledged: 1, lapsed: 0 };

const accountView = {
  name: account,
  account: accountId,
  state: 'waiting',
  rotation,
  step: 'switch-to-key2',
  published: { slot: 'key2', generation: 8, fingerprint: '9d41c7e05b2a', at: '2026-03-02T08:30:03.000Z' },
  keys: [
    { slot: 'key1', fingerprint: '47b0e91fd3c6' },
    { slot: 'key2', fingerprint: '9d41c7e05b2a' },
  ],
  nextDueAt: '2026-04-01T08:30:00.000Z',
  lastRotatedAt: '2026-01-31T08:30:41.000Z',
  consumers: [progress],
  drift: null,
  withdrawn: null,
};

const settings = {
  kind: 'SpeechServices',
  location: 'westeurope',
  endpoint: 'https://speech-weu.cognitiveservices.azure.com/',
  secret: { vaultUrl: 'https://contoso-keys.vault.azure.net', name: account },
  policy: {
    name: 'standard',
    intervalSeconds: 2_592_000,
    acknowledgeWithinSeconds: 86_400,
    onOverdue: 'hold',
    drainSeconds: 600,
    withoutConsumers: 'wait',
  },
};

const consumer = {
  consumer: 'support-desk',
  declared: {
    source: 'api',
    by: 'kim@contoso.com',
    since: '2026-02-11T10:00:00.000Z',
    owner: 'support team',
    accounts: [account],
    minimumInstances: 2,
    acknowledgeWithinSeconds: null,
    onOverdue: null,
    escalate: null,
    channel: { kind: 'instances' },
    problems: [],
  },
  accounts: [{ account, live: 2, acknowledged: 1, lapsed: 0 }],
};

const keyless = {
  account,
  accountId,
  verdict: 'unsafe',
  reasons: [],
  quietSeconds: 86_400,
  toldAt: '2026-03-02T08:30:00.000Z',
  consumers: [
    {
      consumer: 'support-desk',
      verdict: 'unsafe',
      reasons: ['It has shown a key in the last day.'],
      live: 2,
      lapsed: 0,
      silent: 0,
      minimum: 2,
      receiver: false,
      used: { key: 1204, token: 0, entra: 17, bare: false },
      shownAt: '2026-03-02T08:29:58.000Z',
      quietSince: null,
      lastSeenAt: '2026-03-02T08:29:58.000Z',
    },
  ],
};

const explanation = {
  rotation,
  account,
  state: 'waiting',
  waitsFor: waits.detail,
  since: waits.since,
  ifNobodyActs: 'At 2026-03-03T08:30:04.000Z the rotation halts; both keys keep working.',
  youCan: [
    {
      command: `npx twinkey waive ${rotation} support-desk --reason "…"`,
      effect: 'It goes on without support-desk, which may be refused calls.',
    },
  ],
};

const status = {
  at: '2026-03-02T08:31:00.000Z',
  accounts: { total: 14, healthy: 13, due: 0, rotating: 0, waiting: 1, halted: 0 },
  attention: [
    {
      account,
      rotation,
      state: 'waiting',
      step: waits.step,
      since: waits.since,
      detail: waits.detail,
      until: waits.until,
      remedy: null,
    },
  ],
  services: [
    {
      service: 'rotator',
      alive: true,
      startedAt: '2026-03-01T00:00:00.000Z',
      lastSeenAt: '2026-03-02T08:30:52.000Z',
    },
  ],
};

const deadLetter = {
  entity: 'rotation-events/console',
  sequenceNumber: '81',
  id: 'speech-weu-43',
  account,
  type: 'com.twinkey.rotation.event.v1',
  reason: 'UnreadableMessage',
  description: 'The body is no com.twinkey.rotation.event.v1: data.sequence: must be above 0.',
  deliveryCount: 1,
  enqueuedAt: '2026-03-02T08:30:01.000Z',
};

const command = {
  id: '6f1c2d6e-2f1f-4a4f-9f0a-0d7b7f6f3c11',
  command: 'rotate',
  account,
  rotation,
  consumer: null,
  by: 'kim@contoso.com',
  reason: 'quarterly',
  at: '2026-03-02T08:30:00.000Z',
};

const asked = (name: string) => ({ rotation, account, command: name, after: 4709 });
const ofAccount = { params: { name: account } };
const ofRotation = { params: { id: rotation } };
const because = { by: 'kim@contoso.com', reason: 'gone for good' };
const events = { query: { after: 4710, limit: 200 }, answer: { events: [event], after: 4711 } };

export const EXAMPLES: Readonly<Record<string, OperationExample>> = {
  status: { answer: status },
  listAccounts: { answer: { accounts: [accountView] } },
  showAccount: { ...ofAccount, answer: { ...accountView, settings, rotations: [rotationView] } },
  judgeKeyless: { ...ofAccount, query: { quietSeconds: 86_400 }, answer: keyless },
  listConsumers: { answer: { consumers: [consumer] } },
  showConsumer: { params: { name: 'support-desk' }, answer: consumer },
  declareConsumer: {
    params: { name: 'support-desk' },
    body: { by: 'kim@contoso.com', owner: 'support team', accounts: [account], minimumInstances: 2 },
    answer: consumer,
  },
  withdrawConsumer: {
    params: { name: 'support-desk' },
    query: because,
    answer: { consumer: 'support-desk' },
  },
  rotate: {
    ...ofAccount,
    body: { by: 'kim@contoso.com', reason: 'quarterly', scope: 'both' },
    answer: asked('rotate'),
  },
  listRotations: {
    query: { state: 'waiting', account, limit: 50 },
    answer: { rotations: [rotationView] },
  },
  showRotation: { ...ofRotation, answer: { ...rotationView, events: [event] } },
  explainRotation: { ...ofRotation, answer: explanation },
  rotationEvents: { ...ofRotation, ...events },
  replay: { ...ofRotation, body: { by: 'kim@contoso.com' }, answer: asked('replay') },
  halt: { ...ofRotation, body: { by: 'kim@contoso.com', reason: 'incident' }, answer: asked('halt') },
  waive: { ...ofRotation, body: { ...because, consumer: 'support-desk' }, answer: asked('waive') },
  events,
  listDeadLetters: { answer: { deadLetters: [deadLetter] } },
  replayDeadLetters: {
    body: { by: 'kim@contoso.com', entity: deadLetter.entity, sequenceNumbers: ['81'] },
    answer: {
      entity: deadLetter.entity,
      messages: [{ sequenceNumber: '81', id: deadLetter.id, outcome: 'replayed' }],
    },
  },
  listCommands: { query: { account, limit: 50 }, answer: { commands: [command] } },
};
