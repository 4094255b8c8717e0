import { describe, expect, it } from '@jest/globals';
import { ConsumerName } from '@twinkey/contracts';
import { disbelieved } from './disbelieved.js';
import { newVoice, signedBy, unsigned } from './trial/voice.js';

const { consumer } = unsigned;
const voice = newVoice();
const registered = { current: { consumer }, voice: voice.registered };
const voiceless = { current: { consumer }, voice: null };
const strict = { asksForTokens: true };
const trusting = { asksForTokens: false };

describe('an acknowledgement over the bus', () => {
  const signed = { consumer, message: { data: signedBy(voice, unsigned) } };
  const bare = { consumer, message: { data: unsigned } };

  it('is believed when the process signed it that registered', () => {
    expect(disbelieved(signed, registered, strict)).toBeNull();
    expect(disbelieved(signed, registered, trusting)).toBeNull();
  });

  it('is not believed without that signature, once the process registered a voice', () => {
    expect(disbelieved(bare, registered, strict)).toBe('not-signed');
    expect(disbelieved(bare, registered, trusting)).toBe('not-signed');
  });

  it('of a process without a voice is believed only where nobody is asked for tokens', () => {
    expect(disbelieved(bare, voiceless, trusting)).toBeNull();
    expect(disbelieved(bare, voiceless, strict)).toBe('not-signed');
    expect(disbelieved(signed, voiceless, strict)).toBe('not-signed');
  });

  it('of an instance that registered as another consumer comes from a stranger, signed or not', () => {
    const other = { ...registered, current: { consumer: ConsumerName.parse('batch') } };
    expect(disbelieved(signed, other, strict)).toBe('unknown-instance');
    expect(disbelieved(bare, other, trusting)).toBe('unknown-instance');
  });
});

describe('an acknowledgement in a heartbeat', () => {
  it('needs no signature: the heartbeat has proved itself by its token', () => {
    expect(disbelieved({}, registered, strict)).toBeNull();
    expect(disbelieved({}, voiceless, strict)).toBeNull();
  });
});
