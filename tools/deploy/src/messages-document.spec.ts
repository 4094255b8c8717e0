// docs/reference/asyncapi.json, which `node tools/docs/generate.mjs` writes from the contracts.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import * as contracts from '@twinkey/contracts';
import { readAzureEvents, readMessage, topology, type Contract } from '@twinkey/contracts';
import type { ValidateFunction } from 'ajv';
import { asyncApiSchema, danglingReferences, judgeBy } from './json-schemas.js';
import { root } from './repository.js';

interface Described {
  readonly payload: object;
  readonly examples: readonly { readonly name: string; readonly payload: Record<string, unknown> }[];
}
interface Operation {
  readonly action: 'send' | 'receive';
  readonly channel: { readonly $ref: string };
  readonly tags: readonly { readonly name: string }[];
}
interface Document {
  readonly info: object;
  readonly channels: Readonly<Record<string, { readonly address: string; readonly messages: object }>>;
  readonly operations: Readonly<Record<string, Operation>>;
  readonly components: { readonly messages: Readonly<Record<string, Described>> };
}

const document = JSON.parse(readFileSync(`${root}docs/reference/asyncapi.json`, 'utf8')) as Document;
const { channels, operations, components } = document;

const CONTRACTS = Object.entries<unknown>(contracts).filter((entry): entry is [string, Contract<unknown>] =>
  isContract(entry[1]),
);
function isContract(value: unknown): value is Contract<unknown> {
  return typeof value === 'object' && value !== null && 'entity' in value && 'data' in value;
}

function samplesIn(folder: string): readonly string[] {
  return readdirSync(`${root}libs/contracts/${folder}`)
    .map((file) => file.replace(/\.json$/, ''))
    .sort();
}

describe('the document of messages', () => {
  const isAsyncApi = judgeBy(asyncApiSchema());

  it('is AsyncAPI 3.0', () => {
    expect({ valid: isAsyncApi(document), errors: isAsyncApi.errors ?? [] }).toEqual({
      valid: true,
      errors: [],
    });
  });

  it.each([
    ['without a version', { ...document, info: {} }],
    ['with an action of version 2', { ...document, operations: { x: { action: 'publish', channel: {} } } }],
    ['with a message that has no example of anything', spoilt({ examples: [{ name: 'nothing' }] })],
  ])('would not be, %s', (_, other) => {
    expect(isAsyncApi(other)).toBe(false);
  });

  it('refers to nothing that it does not have', () => {
    expect([...danglingReferences(document)]).toEqual([]);
    expect([...danglingReferences({ $ref: '#/components/messages/None' })]).toHaveLength(1);
  });

  function spoilt(change: object): object {
    const [[name, message] = ['', undefined]] = Object.entries(components.messages);
    return {
      ...document,
      components: { messages: { ...components.messages, [name]: { ...message, ...change } } },
    };
  }
});

describe('its channels', () => {
  const { queues, topics } = topology({ shards: 1 });
  const shardless = (name: string) => name.replace(/-0$/, '-{shard}');

  it('are the queues, topics and subscriptions of the topology, and no others', () => {
    expect(Object.values(channels).map(({ address }) => address)).toEqual([
      ...queues.map(({ name }) => name),
      ...topics.flatMap(({ name, subscriptions }) => [
        shardless(name),
        ...(subscriptions.length === 0 ? ['{subscription}'] : subscriptions).map(
          (each) => `${shardless(name)}/subscriptions/${each}`,
        ),
      ]),
    ]);
  });

  it('are each sent to and received from by the services that the topology names', () => {
    const said = Object.values(operations).map(({ action, channel, tags }) => {
      const { address = '' } = channels[channel.$ref.replace('#/channels/', '')] ?? {};
      return `${tags.map(({ name }) => name).join()} ${action} ${address}`;
    });
    expect(said.sort()).toEqual(
      [
        ...queues.flatMap(({ name, from, to }) => [`${from} send ${name}`, `${to} receive ${name}`]),
        ...topics.flatMap(({ name, from, subscriptions }) => [
          ...from.split(', ').map((service) => `${service} send ${shardless(name)}`),
          ...(subscriptions.length === 0
            ? [`consumers receive ${shardless(name)}/subscriptions/{subscription}`]
            : subscriptions.map((service) => `${service} receive ${name}/subscriptions/${service}`)),
        ]),
      ].sort(),
    );
  });

  it.each(CONTRACTS)('carry %s where its contract says', (name, { entity }) => {
    const carrying = Object.entries(channels)
      .filter(([, { messages }]) => name in messages)
      .map(([channel]) => channel.split('.')[0]);
    expect(new Set(carrying)).toEqual(new Set([entity]));
  });
});

describe('its messages', () => {
  it('have every golden sample as an example, and no other', () => {
    const shown = Object.values(components.messages).flatMap(({ examples }) =>
      examples.map(({ name }) => name),
    );
    expect(shown.sort()).toEqual([...samplesIn('samples'), ...samplesIn('samples-azure')].sort());
  });

  it.each(Object.entries(components.messages))('%s is described as its examples are', (_, message) => {
    const fits = judgeBy(message.payload);
    for (const { payload } of message.examples)
      expect({ fits: fits(payload), errors: fits.errors ?? [] }).toEqual({ fits: true, errors: [] });
  });

  it.each(CONTRACTS)('%s is accepted and refused by its description as by its contract', (name, contract) => {
    const { payload, examples } = components.messages[name] ?? { payload: {}, examples: [] };
    const fits = judgeBy(payload);
    for (const { payload: good } of examples)
      for (const [what, body] of variantsOf(good))
        expect([what, verdict(fits, body)]).toEqual([what, readMessage(contract, body).ok]);
    expect(examples).not.toEqual([]);
  });

  it('AzureEvent is refused by its description whenever nobody would read it', () => {
    const { payload, examples } = components.messages['AzureEvent'] ?? { payload: {}, examples: [] };
    const fits = judgeBy(payload);
    for (const { payload: good } of examples) {
      expect(verdict(fits, [good])).toBe(readAzureEvents([good]).ok);
      for (const body of [{ ...good, id: '' }, { ...good, data: undefined, id: undefined }, 'hello'])
        expect(verdict(fits, body)).toBe(readAzureEvents(body).ok);
    }
  });
});

/** A good message, spoilt in ways that senders in other languages would. */
function variantsOf(good: Record<string, unknown>): readonly [string, unknown][] {
  const without = (name: string) =>
    Object.fromEntries(Object.entries(good).filter(([field]) => field !== name));
  return [
    ['as it is', good],
    ['with a field that is known later', { ...good, knownlater: 'x' }],
    ['without its trace', without('traceparent')],
    ...['id', 'source', 'type', 'time', 'data', 'specversion'].map((name): [string, unknown] => [
      `without ${name}`,
      without(name),
    ]),
    ['of the next major version', { ...good, type: String(good['type']).replace(/\.v1$/, '.v2') }],
    ['of another CloudEvents version', { ...good, specversion: '0.3' }],
    ['with too long an id', { ...good, id: 'x'.repeat(129) }],
    ['with a local time', { ...good, time: '2026-03-02T08:30:00+01:00' }],
    ['with data of another type', { ...good, datacontenttype: 'text/plain' }],
    ['with empty data', { ...good, data: {} }],
  ];
}

function verdict(fits: ValidateFunction, body: unknown): boolean {
  return fits(body);
}
