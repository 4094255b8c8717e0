// Every contract that the door exports, tried with whatever may be said in it, and with whatever may not.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import * as contracts from './index.js';
import { readMessage, writeMessage, type Contract } from './index.js';

const CONTRACTS = Object.values<unknown>(contracts).filter(isContract);
const RUNS = { numRuns: 25 };

function isContract(value: unknown): value is Contract<unknown> {
  return typeof value === 'object' && value !== null && 'entity' in value && 'data' in value;
}

interface Schema {
  readonly type?: string;
  readonly const?: string;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
}
type Fields = Readonly<Record<string, unknown>>;

const segment = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,20}$/);
const account = fc
  .tuple(segment, segment, segment)
  .map(
    ([subscription, group, name]) =>
      `/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.CognitiveServices/accounts/${name}`,
  );
const moment = fc
  .date({ min: new Date('1970-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
  .map((date) => date.toISOString());

/** What a schema allows, by what it says of itself: a contract that is new or grows is tried as well. */
function allowed(schema: Schema): fc.Arbitrary<unknown> {
  const { const: only, enum: words, anyOf, oneOf, type } = schema;
  if (only !== undefined) return fc.constant(only);
  if (words !== undefined) return fc.constantFrom(...words);
  const choices = anyOf ?? oneOf;
  if (choices !== undefined) return fc.oneof(...choices.map(allowed));
  switch (type) {
    case 'object': {
      const { properties = {}, required = [] } = schema;
      const fields = Object.entries(properties).map(([name, inner]) => [name, allowed(inner)] as const);
      return fc.record(Object.fromEntries(fields), { requiredKeys: [...required] });
    }
    case 'array': {
      const { items = {}, minItems = 0, maxItems = 4 } = schema;
      return fc.array(allowed(items), { minLength: minItems, maxLength: Math.min(maxItems, minItems + 4) });
    }
    case 'string':
      return text(schema);
    case 'integer':
      return fc.integer({ min: schema.minimum ?? (schema.exclusiveMinimum ?? 0) + 1, max: 2 ** 31 - 1 });
    case 'number':
      return fc
        .double({ min: schema.minimum ?? schema.exclusiveMinimum ?? 0, max: 1e12, noNaN: true })
        .map((value) => (schema.exclusiveMinimum === value ? 1 : value + 0));
    case 'boolean':
      return fc.boolean();
    default:
      throw new Error(`cannot make up ${JSON.stringify(schema)}`);
  }
}

function text({ format, pattern = '', minLength = 0, maxLength = 100 }: Schema): fc.Arbitrary<string> {
  if (format === 'date-time') return moment;
  if (format === 'uuid') return fc.uuid();
  if (format === 'uri') return fc.webUrl();
  if (pattern.includes('cognitiveservices')) return account;
  if (pattern !== '') return fc.stringMatching(new RegExp(pattern));
  return fc.string({ minLength, maxLength, unit: 'grapheme' }).filter(({ length }) => length <= maxLength);
}

/** What a contract allows; what its schema cannot say (a rule about two fields) is asked of the contract itself. */
function anyOf(contract: Contract<unknown>): fc.Arbitrary<Fields> {
  const schema = z.toJSONSchema(contract.data, { io: 'input' }) as Schema;
  return allowed(schema)
    .filter((data) => contract.data.safeParse(data).success)
    .map((data) => data as Fields);
}

const envelope = fc.record(
  {
    id: fc.string({ minLength: 1, maxLength: 128 }),
    source: fc.constantFrom('twinkey/rotator' as const, 'twinkey/notifier' as const),
    time: moment.map((iso) => new Date(iso)),
    subject: fc.string(),
    traceparent: fc.string(),
  },
  { requiredKeys: ['id', 'source', 'time'] },
);

/** A message as it is on the wire. */
function sent(contract: Contract<unknown>): fc.Arbitrary<Fields & { readonly data: Fields }> {
  return fc
    .tuple(envelope, anyOf(contract))
    .map(
      ([outer, data]) =>
        JSON.parse(JSON.stringify(writeMessage(contract, { ...outer, data }))) as Fields & { data: Fields },
    );
}

const named = CONTRACTS.map((contract) => ({ type: contract.type, contract }));

describe('a message, whatever it says', () => {
  it.each(named)('$type is read as it was written', ({ contract }) => {
    fc.assert(
      fc.property(envelope, anyOf(contract), (outer, data) => {
        const message = writeMessage(contract, { ...outer, data });
        expect(message.data).toEqual(data);
        expect(readMessage(contract, JSON.parse(JSON.stringify(message)))).toEqual({ ok: true, message });
      }),
      RUNS,
    );
  });

  it.each(named)('$type is read without the fields that only a newer sender knows', ({ contract }) => {
    const added = fc.stringMatching(/^new[A-Z][a-z]{0,8}$/);
    fc.assert(
      fc.property(sent(contract), added, fc.jsonValue(), (body, field, value) => {
        const newer = { ...body, [field]: value, data: { ...body.data, [field]: value } };
        expect(readMessage(contract, newer)).toEqual({ ok: true, message: body });
      }),
      RUNS,
    );
  });

  it.each(named)('$type is refused as another kind of message', ({ contract }) => {
    fc.assert(
      fc.property(sent(contract), fc.string({ minLength: 1 }), (body, type) => {
        fc.pre(type !== contract.type);
        expect(readMessage(contract, { ...body, type })).toEqual({
          ok: false,
          problem: `type: must be ${contract.type}`,
        });
      }),
      RUNS,
    );
  });
});

describe('what is no message', () => {
  const fieldAndRule = /^[\w.]+: .+/s;

  it('is refused with the field and the rule, and nothing is thrown', () => {
    const garbage = fc.oneof(
      fc.anything(),
      fc.jsonValue(),
      fc.record({ type: fc.string(), data: fc.anything() }),
    );
    fc.assert(
      fc.property(garbage, fc.constantFrom(...CONTRACTS), (body, contract) => {
        const read = readMessage(contract, body);
        expect(read.ok ? '' : read.problem).toMatch(fieldAndRule);
      }),
      { numRuns: 300 },
    );
  });

  it.each(named)(
    '$type with one field spoiled is refused by the name of that field, and its value is not repeated',
    ({ contract }) => {
      const spoil = fc.constantFrom<unknown>({ SPOILED: 'SPOILED' }, ['SPOILED'], null, 'SPOILED\u0000/');
      fc.assert(
        fc.property(sent(contract), fc.nat(), spoil, (body, which, value) => {
          const fields = Object.keys(body.data);
          const field = fields[which % fields.length] ?? '';
          const read = readMessage(contract, { ...body, data: { ...body.data, [field]: value } });
          if (read.ok)
            expect(typeof value).toBe('string'); // a field of free text
          else {
            expect(read.problem).toMatch(new RegExp(`^data\\.${field}\\b`));
            expect(read.problem).not.toContain('SPOILED');
          }
        }),
        RUNS,
      );
    },
  );
});
