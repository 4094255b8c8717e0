// Events of one account as the services would send them, for specs.
import {
  AccountId,
  Fingerprint,
  RegistryEvent,
  RotationEvent,
  RotationId,
  generation,
  stepsFrom,
  writeMessage,
  type AccountSettings,
  type Message,
} from '@twinkey/contracts';

export const speech = AccountId.parse(
  '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/ai/providers/Microsoft.CognitiveServices/accounts/speech',
);
export const vision = AccountId.parse(speech.replace('speech', 'vision'));
export const rotationId = RotationId.parse('r-00000000000a');

/** A fingerprint of one repeated hex digit. */
export const fingerprint = (digit: string) => Fingerprint.parse(digit.repeat(32));

export const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 12, 0, second));

export type What = RotationEvent['what'];

export function rotationEvent(
  sequence: number,
  what: What,
  {
    account = speech,
    rotation = rotationId,
  }: { account?: AccountId; rotation?: RotationId | undefined } = {},
): Message<RotationEvent> {
  return writeMessage(RotationEvent, {
    id: `${account.split('/').at(-1) ?? ''}-${sequence}`,
    source: 'twinkey/rotator',
    time: at(sequence),
    data: { account, rotationId: rotation, sequence, at: at(sequence).toISOString(), what },
  });
}

export function registryEvent(version: number, what: RegistryEvent['what']): Message<RegistryEvent> {
  return writeMessage(RegistryEvent, {
    id: `${what.event}-${version}`,
    source: 'twinkey/scheduler',
    time: at(version),
    data: { version, at: at(version).toISOString(), what },
  });
}

export const settings: AccountSettings = {
  account: speech,
  kind: 'SpeechServices',
  location: 'westeurope',
  endpoint: 'https://speech.cognitiveservices.azure.com/',
  secret: { vaultUrl: 'https://keys.vault.azure.net', name: 'speech' },
  policy: {
    name: 'standard-30d',
    intervalSeconds: 2_592_000,
    acknowledgeWithinSeconds: 86_400,
    onOverdue: 'hold',
    drainSeconds: 5,
    withoutConsumers: 'wait',
  },
};

/** A whole rotation from key1: what a rotator says from the request to completion. */
export const wholeRotation: readonly What[] = [
  {
    event: 'requested',
    reason: 'interval',
    by: 'scheduler',
    steps: [...stepsFrom('key1')],
    retire: [
      { slot: 'key1', fingerprint: fingerprint('1') },
      { slot: 'key2', fingerprint: fingerprint('2') },
    ],
  },
  { event: 'step-started', step: 'switch-to-key1' },
  { event: 'waiting', step: 'switch-to-key1', for: 'acknowledgements', detail: '2 of 3 instances' },
  { event: 'step-done', step: 'switch-to-key1', seconds: 2 },
  { event: 'step-started', step: 'regenerate-key2' },
  { event: 'step-done', step: 'regenerate-key2', seconds: 1 },
  { event: 'retired', slot: 'key2', fingerprint: fingerprint('2'), by: 'twinkey' },
  { event: 'published', slot: 'key2', generation: generation(8), fingerprint: fingerprint('3') },
  { event: 'step-started', step: 'switch-to-key2' },
  { event: 'step-done', step: 'switch-to-key2', seconds: 3 },
  { event: 'step-started', step: 'regenerate-key1' },
  { event: 'retired', slot: 'key1', fingerprint: fingerprint('1'), by: 'twinkey' },
  { event: 'step-done', step: 'regenerate-key1', seconds: 1 },
  { event: 'completed', seconds: 14, keysReplaced: 2 },
];
