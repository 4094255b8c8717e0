import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AzureKeyCredential, TextAnalyticsClient } from '@azure/ai-text-analytics';
import { ClientSecretCredential } from '@azure/identity';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { start, type AzureLocal } from '../../host/start.js';

jest.setTimeout(30_000); // starting takes its time on a busy machine

let azure: AzureLocal;
let client: TextAnalyticsClient;
let key = '';

beforeAll(async () => {
  azure = await start({
    dataDir: mkdtempSync(join(tmpdir(), 'answers-')),
    limits: { arm: 'off' },
    fleet: [{ name: 'multi', kind: 'AIServices', resourceGroup: 'rg' }],
  });
  key = await keyOf('multi');
  client = new TextAnalyticsClient(`${azure.endpoints.origin}/multi/`, new AzureKeyCredential(key), {
    retryOptions: { maxRetries: 0 },
    tlsOptions: { ca: azure.ca },
  });
});
afterAll(() => azure.close());

async function keyOf(name: string): Promise<string> {
  const [{ tenantId, clientId, clientSecret } = { tenantId: '', clientId: '', clientSecret: '' }] =
    azure.applications;
  const credential = new ClientSecretCredential(tenantId, clientId, clientSecret, {
    authorityHost: azure.endpoints.origin,
    disableInstanceDiscovery: true,
    tlsOptions: { ca: azure.ca },
  });
  const { token } = await credential.getToken('https://management.azure.com/.default');
  const account = `/subscriptions/${azure.subscriptionId}/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/${name}`;
  const answer = await azure.call(`${account}/listKeys?api-version=2025-09-01`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });
  return (answer.json() as { key1: string }).key1;
}

const post = async (path: string, body: unknown) => {
  const answer = await azure.call(`/multi/${path}`, { method: 'POST', headers: { 'api-key': key }, body });
  return { status: answer.status, text: answer.text, type: answer.headers['content-type'] };
};
const posted = async (path: string, body: unknown): Promise<unknown> =>
  JSON.parse((await post(path, body)).text);

describe('text analytics through its real client', () => {
  it('tells languages, moods, phrases, entities and what is private', async () => {
    expect([...(await client.detectLanguage(['Das ist gut']))]).toMatchObject([
      { primaryLanguage: { iso6391Name: 'de' } },
    ]);
    expect([...(await client.analyzeSentiment(['I love it. The weather is bad.']))]).toMatchObject([
      {
        sentiment: 'mixed',
        sentences: [
          { sentiment: 'positive', offset: 0 },
          { sentiment: 'negative', offset: 11 },
        ],
      },
    ]);
    expect([...(await client.extractKeyPhrases(['The quick brown giraffe']))]).toMatchObject([
      { keyPhrases: ['quick', 'brown', 'giraffe'] },
    ]);
    expect([...(await client.recognizeEntities(['We met Maria on 12 days']))]).toMatchObject([
      {
        entities: [
          { text: 'Maria', category: 'Person', offset: 7, length: 5 },
          { text: '12', category: 'Quantity' },
        ],
      },
    ]);
    expect([...(await client.recognizePiiEntities(['Ask Maria']))]).toMatchObject([
      { redactedText: 'Ask *****' },
    ]);
    expect([...(await client.recognizeLinkedEntities(['Ask Maria']))]).toMatchObject([
      { entities: [{ name: 'Maria', dataSource: 'Wikipedia' }] },
    ]);
  });

  it('finds fault with an empty document, and answers the others', async () => {
    expect([...(await client.detectLanguage(['', 'Hello']))]).toMatchObject([
      { error: { code: 'InvalidDocument' } },
      { primaryLanguage: { iso6391Name: 'en' } },
    ]);
  });

  it('answers the newer route, which names the analysis in the body', async () => {
    const analysisInput = { documents: [{ id: '1', text: 'I love it' }] };
    expect(
      await posted('language/:analyze-text', { kind: 'SentimentAnalysis', analysisInput }),
    ).toMatchObject({
      kind: 'SentimentAnalysisResults',
      results: { documents: [{ id: '1', sentiment: 'positive' }], errors: [] },
    });
    expect((await post('language/:analyze-text', { kind: 'Horoscope', analysisInput })).status).toBe(400);
  });
});

describe('the translator', () => {
  it('detects, and refuses to translate into nothing', async () => {
    expect(await posted('detect?api-version=3.0', [{ Text: 'Bonjour' }])).toEqual([
      { language: 'fr', score: 1, isTranslationSupported: true, isTransliterationSupported: false },
    ]);
    expect(await posted('translate?api-version=3.0', [{ Text: 'Hello' }])).toMatchObject({
      error: { code: 400036 },
    });
  });

  it('tells its languages to whoever asks', async () => {
    const answer = await azure.call('/multi/languages?api-version=3.0&scope=translation');
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({ translation: { de: { nativeName: 'Deutsch', dir: 'ltr' } } });
  });
});

describe('a model', () => {
  const messages = [{ role: 'user', content: [{ type: 'text', text: 'Hello there' }] }];
  const events = (text: string) =>
    text
      .split('\n\n')
      .filter(Boolean)
      .map((event) => event.replace(/^(event: .*\n)?data: /, ''));

  it('says again what was said to it, whole or as a stream', async () => {
    expect(await posted('openai/deployments/gpt/chat/completions', { messages })).toMatchObject({
      object: 'chat.completion',
      model: 'gpt',
      choices: [{ message: { role: 'assistant', content: 'Hello there' }, finish_reason: 'stop' }],
      usage: { completion_tokens: 3 },
    });
    const { text, type } = await post('openai/v1/chat/completions', {
      model: 'gpt-4o',
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(type).toMatch(/^text\/event-stream/);
    const chunks = events(text);
    expect(chunks.at(-1)).toBe('[DONE]');
    const parsed = chunks.slice(0, -1).map((one) => JSON.parse(one) as Chunk);
    expect(parsed.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('Hello there');
    expect(parsed.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 3 } });
  });

  it('responds on the newer route, whole or as a stream', async () => {
    const input = [{ role: 'user', content: 'Hello there' }];
    expect(await posted('openai/v1/responses', { model: 'gpt-4o', input })).toMatchObject({
      object: 'response',
      status: 'completed',
      output: [{ content: [{ type: 'output_text', text: 'Hello there' }] }],
    });
    const { text } = await post('openai/v1/responses', { model: 'gpt-4o', input, stream: true });
    const types = events(text).map((one) => (JSON.parse(one) as { type: string }).type);
    expect(types).toEqual([
      'response.created',
      'response.output_text.delta',
      'response.output_text.delta',
      'response.output_text.done',
      'response.completed',
    ]);
  });

  it('embeds the same text in the same place, in numbers or packed', async () => {
    const ask = async (more: object) =>
      (await posted('openai/v1/embeddings', {
        model: 'e',
        input: ['Hello'],
        dimensions: 8,
        ...more,
      })) as Embedded;
    const plain = (await ask({})).data[0]?.embedding as number[];
    expect(plain).toHaveLength(8);
    const packed = Buffer.from(
      String((await ask({ encoding_format: 'base64' })).data[0]?.embedding),
      'base64',
    );
    const unpacked = plain.map((_, at) => packed.readFloatLE(at * 4));
    for (const [at, value] of unpacked.entries()) expect(value).toBeCloseTo(plain[at] ?? Number.NaN, 6);
  });

  it('is one of a list', async () => {
    const answer = await azure.call('/multi/openai/models?api-version=2024-10-21', {
      headers: { 'api-key': key },
    });
    expect(answer.json()).toMatchObject({
      object: 'list',
      data: expect.arrayContaining([expect.objectContaining({ id: 'gpt-4o', object: 'model' })]),
    });
  });

  it('refuses a question without words', async () => {
    expect(await posted('openai/v1/chat/completions', {})).toMatchObject({
      error: { type: 'invalid_request_error', param: 'messages' },
    });
  });
});

interface Chunk {
  readonly choices: readonly { readonly delta: { readonly content?: string } }[];
}

interface Embedded {
  readonly data: readonly { readonly embedding: unknown }[];
}
