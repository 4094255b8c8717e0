// The clients that applications really use, each with its own way of taking keys, while both keys of their account are
// regenerated for real.
import createTranslator from '@azure-rest/ai-translation-text';
import { TextAnalyticsClient } from '@azure/ai-text-analytics';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AzureOpenAI, OpenAI } from 'openai';
import { Embedded, until } from './testing/embedded.js';
import type { Twinkey } from './twinkey.js';

// Eight clients call without pause here, and older keys get their time to drain.
jest.setTimeout(90_000);

const NAME = 'multi';
/** Calls with a key that was handed out have ended by then, on a busy machine too. */
const DRAIN_SECONDS = 3;
/** How often each client must have got through before the next thing happens. */
const CALLS = 5;

let azure: Embedded;
let twinkey: Twinkey;

beforeAll(async () => {
  azure = await Embedded.start(NAME, 'AIServices');
});

afterAll(() => azure.close());

beforeEach(async () => {
  azure.reset();
  azure.azure.control.ledger.reset();
  azure.current = 1;
  await azure.publish('key1', 1);
  twinkey = await azure.connect({ drainSeconds: DRAIN_SECONDS });
});

afterEach(() => twinkey.close());

const messages = [{ role: 'user' as const, content: 'Hello there' }];

/** Calls once, and fails when the account refuses. */
type Client = () => Promise<void>;

function textAnalytics(key: TextAnalyticsKey, policy?: Twinkey['accounts'][number]['policy']): Client {
  const client = new TextAnalyticsClient(`${azure.azure.endpoints.origin}/${NAME}/`, key, {
    tlsOptions: { ca: azure.azure.ca },
    ...(policy === undefined ? {} : { additionalPolicies: [{ policy, position: 'perRetry' }] }),
  });
  return async () => {
    const [{ error } = {}] = await client.detectLanguage(['Hello there']);
    if (error !== undefined) throw new Error(error.message);
  };
}
type TextAnalyticsKey = ConstructorParameters<typeof TextAnalyticsClient>[1];

function translator(account: Twinkey['accounts'][number]): Client {
  const { credential, policy } = account;
  const client = createTranslator(`${azure.azure.endpoints.origin}/${NAME}`, credential, {
    tlsOptions: { ca: azure.azure.ca },
    additionalPolicies: [{ policy, position: 'perRetry' }],
  });
  return async () => {
    const body = [{ text: 'Hello there' }];
    const answer = await client.path('/translate').post({ body, queryParameters: { to: 'de' } });
    if (answer.status !== '200') throw new Error(`translator: ${answer.status}`);
  };
}

function openai(options: { apiKey: string | (() => Promise<string>); fetch?: typeof fetch }): Client {
  const client = new OpenAI({ baseURL: `${azure.plainUrl}/${NAME}/openai/v1`, maxRetries: 0, ...options });
  return async () => {
    await client.chat.completions.create({ model: 'gpt-4o', messages });
  };
}

/** A client that keeps the key it was made with is given each new one as it comes. */
function azureOpenAi(account: Twinkey['accounts'][number]): Client {
  const client = new AzureOpenAI({
    endpoint: `${azure.plainUrl}/${NAME}`,
    apiKey: account.credential.key,
    apiVersion: '2024-10-21',
    deployment: 'gpt-4o',
    maxRetries: 0,
  });
  twinkey.on('switched', () => (client.apiKey = account.credential.key));
  return async () => {
    await client.chat.completions.create({ model: 'gpt-4o', messages });
  };
}

function ownFetch(account: Twinkey['accounts'][number]): Client {
  const url = `${azure.plainUrl}/${NAME}/text/analytics/v3.1/languages`;
  const body = JSON.stringify({ documents: [{ id: '1', text: 'Hello there' }] });
  return async () => {
    const headers = { ...(await account.headers()), 'Content-Type': 'application/json' };
    const answer = await fetch(url, { method: 'POST', headers, body });
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`fetch: ${answer.status}`);
  };
}

/** Calls without pause until told to stop; counts what came of it. */
class Caller {
  calls = 0;
  readonly failures: string[] = [];
  #stopped = false;
  readonly #running: Promise<void>;

  constructor(client: Client) {
    this.#running = this.#run(client);
  }

  stop(): Promise<void> {
    this.#stopped = true;
    return this.#running;
  }

  async #run(client: Client): Promise<void> {
    while (!this.#stopped) {
      try {
        await client();
      } catch (error) {
        this.failures.push(String(error));
      }
      this.calls += 1;
    }
  }
}

async function allCalled(callers: ReadonlyMap<string, Caller>): Promise<void> {
  const goals = [...callers.values()].map((caller) => ({ caller, goal: caller.calls + CALLS }));
  await until(() => goals.every(({ caller, goal }) => caller.calls >= goal), 40_000);
}

function refusals() {
  return azure.azure.control.ledger.entries().filter(({ outcome }) => outcome === 'refused');
}

describe('the clients of an account whose keys are both replaced', () => {
  it('are never refused, whichever way each of them takes its key', async () => {
    const account = twinkey.account(NAME);
    const { credential, policy, apiKey } = account;
    const entra = account.entra();
    const callers = new Map(
      Object.entries({
        'text analytics, with the policy': textAnalytics(credential, policy),
        'text analytics, with the bare credential': textAnalytics(credential),
        'text analytics, Entra first': textAnalytics(entra.credential, entra.policy),
        'translator, with the policy': translator(account),
        'openai, with a function': openai({ apiKey }),
        'openai, with fetch': openai({ apiKey: 'not used', fetch: account.fetch }),
        'AzureOpenAI, with its key assigned': azureOpenAi(account),
        'fetch, with headers': ownFetch(account),
      }).map(([name, client]) => [name, new Caller(client)]),
    );
    const former = await azure.keys();
    await allCalled(callers);

    await azure.publish('key2', 2);
    await azure.announce(2);
    await azure.drained(2);
    await azure.keys('regenerateKey', 'Key1');
    await allCalled(callers);

    await azure.publish('key1', 3);
    await azure.announce(3);
    await azure.drained(3);
    await azure.keys('regenerateKey', 'Key2');
    await allCalled(callers);

    await Promise.all([...callers.values()].map((caller) => caller.stop()));
    const failures = [...callers].flatMap(([name, caller]) =>
      caller.failures.map((what) => `${name}: ${what}`),
    );
    expect(failures).toEqual([]);
    expect(refusals()).toEqual([]);
    const now = await azure.keys();
    expect([now.key1 === former.key1, now.key2 === former.key2]).toEqual([false, false]);
    expect(account.used).toMatchObject({
      entra: callers.get('text analytics, Entra first')?.calls,
      bare: true,
    });
    expect(azure.heartbeats.at(-1)?.accounts[0]?.used).toMatchObject({ key: expect.any(Number), bare: true });
  });
});

describe('the clients of an account whose key dies unannounced', () => {
  it('see nothing of it: each refused call is repeated once with the key that is found', async () => {
    const account = twinkey.account(NAME);
    const refused: boolean[] = [];
    twinkey.on('refused', ({ healed }) => refused.push(healed));
    const callers = new Map(
      Object.entries({
        'text analytics': textAnalytics(account.credential, account.policy),
        translator: translator(account),
        openai: openai({ apiKey: 'not used', fetch: account.fetch }),
      }).map(([name, client]) => [name, new Caller(client)]),
    );
    await allCalled(callers);
    await azure.publish('key2', 2);
    await azure.keys('regenerateKey', 'Key1');
    await allCalled(callers);
    await Promise.all([...callers.values()].map((caller) => caller.stop()));
    expect([...callers.values()].flatMap(({ failures }) => failures)).toEqual([]);
    expect(refused.length).toBeGreaterThan(0);
    expect(new Set(refused)).toEqual(new Set([true]));
  });
});

describe('a token that a key buys', () => {
  it('is taken by the translator, and still is when the key is dead', async () => {
    const { getToken } = twinkey.account(NAME).tokens({ endpoint: `${azure.plainUrl}/${NAME}` });
    const translate = async () => {
      const headers = { Authorization: `Bearer ${await getToken()}`, 'Content-Type': 'application/json' };
      const url = `${azure.plainUrl}/${NAME}/translate?api-version=3.0&to=de`;
      const body = JSON.stringify([{ text: 'Hello there' }]);
      return (await fetch(url, { method: 'POST', headers, body })).status;
    };
    expect(await translate()).toBe(200);
    await azure.keys('regenerateKey', 'Key1');
    expect(await translate()).toBe(200);
    expect(azure.azure.control.ledger.entries()).toContainEqual(
      expect.objectContaining({ proof: 'issued-token', slot: 'former', outcome: 'accepted' }),
    );
  });
});
