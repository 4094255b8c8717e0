import { z } from 'zod';
import * as answers from './answers.js';
import { OPERATIONS, type Operation } from './operations.js';

type Schema = z.core.JSONSchema.BaseSchema;

const TITLES: Readonly<Record<number, string>> = {
  200: 'The answer.',
  202: 'Accepted; the outcome shows in the events of the rotation.',
  401: 'No token came along, or none that counts.',
  403: 'The identity lacks the role.',
  400: 'The request breaks a rule; `detail` names the field and the rule.',
  404: 'Not known.',
  409: 'Not possible in the state in which things are.',
  422: 'The key was used for another request.',
  503: 'Service Bus cannot be reached.',
};

/** Named once under `components`, so that generators make one type of each. */
const COMPONENTS = {
  StatusView: answers.StatusView,
  AccountView: answers.AccountView,
  AccountDetail: answers.AccountDetail,
  RotationView: answers.RotationView,
  RotationDetail: answers.RotationDetail,
  ExplanationView: answers.ExplanationView,
  EventView: answers.EventView,
  Asked: answers.Asked,
  ConsumerSummary: answers.ConsumerSummary,
  KeylessView: answers.KeylessView,
  CommandView: answers.CommandView,
  DeadLetterView: answers.DeadLetterView,
  DeadLettersReplayed: answers.DeadLettersReplayed,
  Problem: answers.Problem,
};

/** The API as an OpenAPI 3.1 document. */
export function openApiDocument(): object {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(COMPONENTS)) registry.add(schema, { id });
  const uri = (id: string) => `#/components/schemas/${id}`;
  const { schemas } = z.toJSONSchema(registry, { uri, override: relax });

  const inline = (schema: z.ZodType, io: 'input' | 'output'): Schema => {
    const id = registry.get(schema)?.id;
    if (id !== undefined) return { $ref: uri(id) };
    const whole = z.toJSONSchema(schema, { io, metadata: registry, override: relax });
    return pointAtComponents(bare(whole), Object.keys(whole.$defs ?? {}), uri);
  };

  const paths: Record<string, Record<string, object>> = {};
  for (const operation of OPERATIONS) {
    (paths[operation.path] ??= {})[operation.method] = describe(operation, inline);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'twinkey console',
      version: '1',
      description:
        'Accounts under care, their rotations, and what a person may ask for. No answer holds a key.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    paths,
    components: {
      securitySchemes: { entra },
      schemas: Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, bare(schema)])),
    },
  };
}

function describe(
  operation: Operation,
  inline: (schema: z.ZodType, io: 'input' | 'output') => Schema,
): object {
  const { id, summary, role, tag, params, query, body, status, answer, streams } = operation;
  const problems = {
    ...operation.problems,
    401: ['token-missing', 'token-not-accepted'],
    403: ['role-missing'],
  };
  const parameters = [
    ...parametersOf('path', params),
    ...parametersOf('query', query),
    ...(status === 202 ? [idempotencyKey] : []),
    ...(streams ? [lastEventId] : []),
  ];
  const responses: Record<string, object> = {
    [status]: {
      description: TITLES[status],
      content: {
        'application/json': { schema: inline(answer, 'output') },
        ...(streams ? { 'text/event-stream': { schema: inline(streams, 'output') } } : {}),
      },
    },
  };
  for (const [problem, codes] of Object.entries(problems)) {
    responses[problem] = {
      description: `${TITLES[Number(problem)] ?? ''} Codes: ${codes.map((code) => `\`${code}\``).join(', ')}.`,
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    };
  }
  return {
    operationId: id,
    summary,
    tags: [tag],
    security: [{ entra: [`twinkey.${role}`] }, {}],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body ? { requestBody: { content: { 'application/json': { schema: inline(body, 'input') } } } } : {}),
    responses,
  };
}

const entra = {
  type: 'http',
  scheme: 'bearer',
  bearerFormat: 'JWT',
  description:
    'A token of Entra for TWINKEY_API_AUDIENCE with the app role that the operation names, or a larger one. Without that setting none is asked for, and only the same machine is answered.',
};

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'The same key asks for the same thing again: the answer is the same, nothing is asked twice.',
  schema: { type: 'string', minLength: 1, maxLength: 200 },
};

const lastEventId = {
  name: 'Last-Event-ID',
  in: 'header',
  description: 'With `watch`: the position after which the stream goes on. It outranks `after`.',
  schema: { type: 'string' },
};

function parametersOf(place: 'path' | 'query', schema: z.ZodObject | undefined): object[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input', override: relax });
  return Object.entries(properties).map(([name, property]) => {
    if (typeof property === 'boolean') return { name, in: place };
    const { description, ...rest } = property;
    return {
      name,
      in: place,
      ...(place === 'path' || required.includes(name) ? { required: true } : {}),
      ...(description === undefined ? {} : { description }),
      schema: rest,
    };
  });
}

/** Answers may grow within `v1`, and a moment needs no page of pattern beside its format. */
function relax({ jsonSchema }: { jsonSchema: Schema }): void {
  if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
  if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
}

/** `#/$defs/X` means nothing inside an OpenAPI document; the same X is a component there. */
function pointAtComponents(schema: Schema, ids: readonly string[], uri: (id: string) => string): Schema {
  let text = JSON.stringify(schema);
  for (const id of ids) text = text.replaceAll(`"#/$defs/${id}"`, `"${uri(id)}"`);
  return JSON.parse(text) as Schema;
}

/** What only a document of its own needs. */
const OF_A_DOCUMENT = new Set(['$schema', '$id', '$defs']);

function bare(schema: Schema): Schema {
  return Object.fromEntries(Object.entries(schema).filter(([name]) => !OF_A_DOCUMENT.has(name)));
}
