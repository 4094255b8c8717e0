import { describe, expect, it } from '@jest/globals';
import { readSettings } from './settings.js';

const options = { consumer: 'speech-frontend', accounts: ['speech-prod'] };

describe('settings', () => {
  it('are complete with a consumer and its accounts', () => {
    expect(readSettings(options, {})).toMatchObject({
      notifierUrl: 'http://127.0.0.1:4703',
      serviceBus: undefined,
      drainSeconds: 30,
      startWithinSeconds: 60,
      waitForFirstPublication: true,
    });
  });

  it('come from the environment', () => {
    const env = {
      TWINKEY_NOTIFIER_URL: 'https://notifier.example.com/twinkey',
      TWINKEY_SERVICE_BUS_NAMESPACE: 'twinkey.servicebus.windows.net',
      SERVICEBUS_CONNECTION_STRING: ' ',
      TWINKEY_DISABLE_VAULT_CHALLENGE_CHECK: 'true',
    };
    expect(readSettings(options, env)).toMatchObject({
      notifierUrl: 'https://notifier.example.com/twinkey',
      serviceBus: { namespace: 'twinkey.servicebus.windows.net' },
      disableChallengeCheck: true,
    });
  });

  it('can leave Service Bus out although the environment has it', () => {
    const env = { SERVICEBUS_CONNECTION_STRING: 'Endpoint=sb://localhost' };
    expect(readSettings({ ...options, serviceBus: false }, env).serviceBus).toBeUndefined();
  });

  it('are refused with everything that is wrong at once', () => {
    const bad = { consumer: 'Speech Frontend', accounts: [], notifierUrl: 'localhost', drainSeconds: -1 };
    const env = { TWINKEY_DISABLE_INSTANCE_DISCOVERY: 'yes' };
    expect(() => readSettings(bad, env)).toThrow(
      /consumer: .*; accounts: .*; notifierUrl .*; drainSeconds: .*; TWINKEY_DISABLE_INSTANCE_DISCOVERY: /,
    );
  });
});
