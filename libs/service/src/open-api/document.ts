// The OpenAPI document of an API, from the list of its operations and the schemas that check what comes and goes.
import { STATUS_CODES } from 'node:http';
import { z } from 'zod';
import { REQUEST_LIMITS } from '../http/limits.js';
import type { ApiDescription, Operation, OperationExample } from './operation.js';
import { bare, objectSchema, pointAtComponents, words, type JsonSchema } from './schemas.js';

/** What problems over HTTP look like (RFC 9457). */
export const ProblemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
});

const TITLES: Readonly<Record<number, string>> = {
  200: 'The answer.',
  201: 'It is there now.',
  202: 'Accepted; what comes of it shows later.',
  204: 'Done.',
  400: 'The request breaks a rule; `detail` names the field and the rule.',
  401: 'No token came along, or none that counts.',
  403: 'This identity may not ask for that.',
  404: 'Not known.',
  409: 'Not possible in the state in which things are.',
  410: 'Not there any more.',
  413: `The body is larger than ${REQUEST_LIMITS.bodyBytes / 1024} KiB.`,
  415: 'The body is no JSON.',
  422: 'The key was used for another request.',
  429: 'This identity asks too often; `Retry-After` says when to ask again.',
  503: 'Service Bus cannot be reached.',
};

/** What every operation can answer before it begins. */
const ALWAYS: Readonly<Record<number, readonly string[]>> = {
  401: ['token-missing', 'token-not-accepted'],
  403: ['role-missing', 'not-from-here'],
  429: ['too-many-requests'],
};

/** What an operation that reads a body can answer before it is read. */
const OF_BODIES: Readonly<Record<number, readonly string[]>> = {
  413: ['payload-too-large'],
  415: ['unsupported-media-type'],
};

type Inline = (schema: z.ZodType) => JsonSchema;

/** An API as an OpenAPI 3.1 document. */
export function openApiDocument({
  title,
  description,
  operations,
  examples,
  components,
}: ApiDescription): object {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries({ ...components, Problem: ProblemSchema }))
    registry.add(schema, { id });
  const uri = (id: string) => `#/components/schemas/${id}`;
  const { schemas } = z.toJSONSchema(registry, { uri, ...words() });

  const inline: Inline = (schema) => {
    const id = registry.get(schema)?.id;
    if (id !== undefined) return { $ref: uri(id) };
    const whole = z.toJSONSchema(schema, { metadata: registry, ...words() });
    return pointAtComponents(bare(whole), Object.keys(whole.$defs ?? {}), uri);
  };

  const paths: Record<string, Record<string, object>> = {};
  for (const operation of operations) {
    (paths[operation.path] ??= {})[operation.method] = describeOperation(
      operation,
      examples[operation.id] ?? {},
      inline,
    );
  }
  return {
    openapi: '3.1.0',
    info: { title, version: '1', description, license: { name: 'MIT', identifier: 'MIT' } },
    tags: [...new Set(operations.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: { entra },
      responses: Object.fromEntries(
        Object.entries(ALWAYS).map(([status, codes]) => [status, problemResponse(Number(status), codes)]),
      ),
      schemas: Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, bare(schema)])),
    },
  };
}

function describeOperation(operation: Operation, example: OperationExample, inline: Inline): object {
  const { id, summary, role, tag, params, query, body, status, idempotent, streams } = operation;
  const parameters = [
    ...parametersOf('path', params, example.params),
    ...parametersOf('query', query, example.query),
    ...(idempotent ? [idempotencyKey] : []),
    ...(streams ? [lastEventId] : []),
  ];
  return {
    operationId: id,
    summary,
    tags: [tag],
    security: [{ entra: [`twinkey.${role}`] }, {}],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : { requestBody: { content: { 'application/json': mediaType(inline(body), example.body) } } }),
    responses: {
      [status]: { description: TITLES[status], ...contentOf(operation, example, inline) },
      ...problemsOf(operation),
    },
  };
}

function contentOf(
  { answer, streams }: Operation,
  example: OperationExample,
  inline: Inline,
): { content?: object } {
  if (answer === undefined) return {};
  return {
    content: {
      'application/json': mediaType(inline(answer), example.answer),
      ...(streams ? { 'text/event-stream': { schema: inline(streams) } } : {}),
    },
  };
}

function mediaType(schema: JsonSchema, example: unknown): object {
  return { schema, ...(example === undefined ? {} : { example }) };
}

function problemsOf({ body, problems: own }: Operation): Record<string, object> {
  const problems = body === undefined ? own : { ...own, ...OF_BODIES };
  const statuses = new Set([...Object.keys(problems), ...Object.keys(ALWAYS)].map(Number));
  return Object.fromEntries(
    [...statuses]
      .sort((one, other) => one - other)
      .map((status) => {
        const always = ALWAYS[status] ?? [];
        const codes = problems[status] ?? [];
        return [
          status,
          codes.length === 0
            ? { $ref: `#/components/responses/${status}` }
            : problemResponse(status, [...codes, ...always]),
        ];
      }),
  );
}

function problemResponse(status: number, codes: readonly string[]): object {
  const content = {
    schema: { $ref: '#/components/schemas/Problem' },
    example: exampleProblem(status, codes[0] ?? ''),
  };
  return {
    description: `${TITLES[status] ?? ''} Codes: ${codes.map((code) => `\`${code}\``).join(', ')}.`,
    ...(status === 429 ? { headers: { 'Retry-After': retryAfter } } : {}),
    content: { 'application/problem+json': content },
  };
}

const retryAfter = { description: 'Seconds.', schema: { type: 'integer', minimum: 1 } };

function exampleProblem(status: number, code: string): z.infer<typeof ProblemSchema> {
  return {
    type: `urn:twinkey:problem:${code}`,
    title: STATUS_CODES[status] ?? '',
    status,
    detail: 'One sentence that says what is wrong and what to do.',
    code,
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

function parametersOf(
  place: 'path' | 'query',
  schema: z.ZodObject | undefined,
  example: Readonly<Record<string, unknown>> = {},
): object[] {
  if (!schema) return [];
  const { properties, required } = objectSchema(schema);
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    ...(place === 'path' || required.includes(name) ? { required: true } : {}),
    ...(description === undefined ? {} : { description }),
    schema: rest,
    ...(name in example ? { example: example[name] } : {}),
  }));
}
