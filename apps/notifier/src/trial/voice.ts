// A process that signs what it says over the bus, as the notifier sees it.
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import {
  AccountId,
  acknowledgementText,
  ConsumerName,
  generation,
  InstanceId,
  type KeyAcknowledged,
} from '@twinkey/contracts';

export interface Voice {
  readonly privateKey: KeyObject;
  /** As the notifier keeps it. */
  readonly registered: Buffer;
}

export function newVoice(): Voice {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  return { privateKey, registered: Buffer.from(x, 'base64url') };
}

export const unsigned: KeyAcknowledged = {
  account: AccountId.parse(
    '/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/speech-weu',
  ),
  consumer: ConsumerName.parse('web-shop'),
  instance: InstanceId.parse('i-0123456789abcdef'),
  boot: '11111111-1111-4111-8111-111111111111',
  generation: generation(7),
  at: '2026-03-02T08:30:00.000Z',
  drainedAt: '2026-03-02T08:30:30.000Z',
};

export function signedBy({ privateKey }: Voice, said: KeyAcknowledged): KeyAcknowledged {
  const signature = sign(null, Buffer.from(acknowledgementText(said)), privateKey);
  return { ...said, signature: signature.toString('base64url') };
}
