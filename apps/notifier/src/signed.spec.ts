import { describe, expect, it } from '@jest/globals';
import { AccountId, ConsumerName, generation, InstanceId, type KeyAcknowledged } from '@twinkey/contracts';
import { isSigned } from './signed.js';
import { newVoice, signedBy, unsigned } from './trial/voice.js';

describe('a signed acknowledgement', () => {
  const one = newVoice();
  const said = signedBy(one, unsigned);

  it('is taken for what its process said', () => {
    expect(isSigned(said, one.registered)).toBe(true);
  });

  it('is not taken for what another process said', () => {
    expect(isSigned(said, newVoice().registered)).toBe(false);
  });

  const changes: readonly (readonly [string, Partial<KeyAcknowledged>])[] = [
    ['account', { account: AccountId.parse(unsigned.account.replace('speech-weu', 'speech-neu')) }],
    ['consumer', { consumer: ConsumerName.parse('batch') }],
    ['instance', { instance: InstanceId.parse('i-fedcba9876543210') }],
    ['start of the process', { boot: '22222222-2222-4222-8222-222222222222' }],
    ['generation', { generation: generation(8) }],
    ['end of its last call', { drainedAt: '2026-03-02T08:30:00.000Z' }],
  ];
  it.each(changes)('is nobody’s any more with another %s', (_, change) => {
    expect(isSigned({ ...said, ...change }, one.registered)).toBe(false);
  });

  it('is nobody’s any more without the end of its last call', () => {
    const { drainedAt, ...rest } = said;
    expect(drainedAt).toBeDefined();
    expect(isSigned(rest, one.registered)).toBe(false);
  });

  it('may be sent again later: when it was said is not signed', () => {
    expect(isSigned({ ...said, at: '2026-03-02T09:00:00.000Z' }, one.registered)).toBe(true);
  });
});

describe('an acknowledgement without a signature', () => {
  it('is nobody’s', () => {
    expect(isSigned(unsigned, newVoice().registered)).toBe(false);
  });

  it('is nobody’s either with one that was made of something else', () => {
    const one = newVoice();
    const { signature = '' } = signedBy(one, { ...unsigned, generation: generation(6) });
    expect(isSigned({ ...unsigned, signature }, one.registered)).toBe(false);
    expect(isSigned({ ...unsigned, signature: 'A'.repeat(86) }, one.registered)).toBe(false);
  });
});
