import { describe, expect, it } from '@jest/globals';
import { readTask } from './task.js';

const account = { name: 'speech-prod', endpoint: 'https://localhost:8443/speech-prod/' };

describe('a task', () => {
  it('needs a consumer and accounts; the rest has defaults', () => {
    expect(readTask(JSON.stringify({ consumer: 'voice-bot', accounts: [account] }))).toEqual({
      consumer: 'voice-bot',
      accounts: [{ ...account, path: 'text/analytics/v3.1/languages' }],
      instances: 3,
      callsPerSecond: 10,
    });
  });

  it.each([
    [undefined, /give one argument/],
    ['{', /not JSON/],
    ['7', /must be a JSON object/],
    ['{"accounts":[{"name":"x"}],"instances":0}', /consumer: .*x needs an endpoint.*instances: /],
    ['{"consumer":"voice-bot"}', /accounts: must be a list/],
  ])('%s is refused in one message', (text, message) => {
    expect(() => readTask(text)).toThrow(message);
  });
});
