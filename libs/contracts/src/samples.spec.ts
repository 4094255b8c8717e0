import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import * as contracts from './index.js';
import { readMessage, type Contract } from './index.js';

/** Every contract that the door exports: a new one without a sample is noticed here. */
const CONTRACTS: readonly Contract<unknown>[] = Object.values<unknown>(contracts).filter(isContract);

function isContract(value: unknown): value is Contract<unknown> {
  return typeof value === 'object' && value !== null && 'entity' in value && 'data' in value;
}

const folder = new URL('../samples/', import.meta.url);
const samples = readdirSync(folder)
  .sort()
  .map((file) => ({ file, body: JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Body }));
type Body = Record<string, unknown> & { type: string; id: string; data: Record<string, unknown> };

function contractOf(type: string): Contract<unknown> {
  const found = CONTRACTS.find((contract) => contract.type === type);
  if (!found) throw new Error(`no contract for ${type}`);
  return found;
}

/** The kinds of one contract, as `event` or `command` tells them apart: [] when it has only one. */
function variantsOf(contract: Contract<unknown>): string[] {
  const schema = z.toJSONSchema(contract.data, { io: 'input' }) as JsonSchema;
  return [schema, schema.properties?.['what'] ?? {}].flatMap(({ oneOf }) =>
    (oneOf ?? []).map(
      ({ properties }) => properties?.['event']?.const ?? properties?.['command']?.const ?? '?',
    ),
  );
}
interface JsonSchema {
  readonly oneOf?: readonly JsonSchema[];
  readonly const?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
}

function variantIn(data: Record<string, unknown>): unknown {
  const what = data['what'] as Record<string, unknown> | undefined;
  return what?.['event'] ?? data['command'];
}

describe('a golden sample', () => {
  it.each(samples)('$file is read for ever, and nothing of it is lost', ({ body }) => {
    expect(readMessage(contractOf(body.type), body)).toEqual({ ok: true, message: body });
  });

  it.each(samples)('$file is still read when a newer sender adds fields', ({ body }) => {
    const newer = { ...body, knownlater: 'x', data: { ...body.data, knownLater: { more: [1] } } };
    const read = readMessage(contractOf(body.type), newer);
    expect(read).toEqual({ ok: true, message: body });
  });

  it.each(samples)('$file has an id that Service Bus takes', ({ body }) => {
    expect(body.id.length).toBeLessThanOrEqual(128);
  });

  it.each(samples)('$file carries nothing that looks like a key', ({ body }) => {
    // Keys of accounts are 32 hex digits or 84 letters and digits; only fingerprints and secret versions may look so.
    const text = JSON.stringify(body, (name, value: unknown) =>
      name === 'fingerprint' || name === 'version' || name === 'traceparent' ? undefined : value,
    );
    expect(text).not.toMatch(/[0-9a-f]{32}|[0-9a-zA-Z]{84}|SharedAccessKey|eyJ/);
  });
});

describe('the set of samples', () => {
  it('has one for every message type', () => {
    expect(new Set(samples.map(({ body }) => body.type))).toEqual(new Set(CONTRACTS.map(({ type }) => type)));
  });

  it.each(CONTRACTS.map((contract) => ({ type: contract.type, contract })))(
    'has one for every kind of $type',
    ({ type, contract }) => {
      const shown = samples.filter(({ body }) => body.type === type).map(({ body }) => variantIn(body.data));
      expect(shown).toEqual(expect.arrayContaining(variantsOf(contract)));
    },
  );

  it('names each by its type and version, so that a new version adds samples and replaces none', () => {
    for (const { file, body } of samples) {
      const [, topic, version] = /^com\.twinkey\.([\w-]+(?:\.[\w-]+)*)\.(v\d+)$/.exec(body.type) ?? [];
      expect([file, file.startsWith(`${topic ?? '?'}.`), file.endsWith(`.${version ?? '?'}.json`)]).toEqual([
        file,
        true,
        true,
      ]);
    }
  });

  it('knows the kinds of a message (else the promise above is empty)', () => {
    expect(variantsOf(contracts.RotationCommand)).toEqual(['rotate', 'replay', 'halt', 'waive']);
    expect(variantsOf(contracts.RegistryEvent)).toContain('service-alive');
  });
});
