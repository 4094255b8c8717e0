// What the house asks of an OpenAPI document beyond the format: that somebody who has only the document can use it.
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

export interface HttpDocument {
  readonly openapi: string;
  readonly info: { readonly title: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: object;
    readonly responses: Readonly<Record<string, Response>>;
  };
}

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly object[];
  readonly parameters?: readonly (Shown & { readonly name: string; readonly in: string })[];
  readonly requestBody?: { readonly content: Content };
  readonly responses?: Readonly<Record<string, Response | { readonly $ref: string }>>;
}
interface Response {
  readonly content?: Content;
}
type Content = Readonly<Record<string, Shown>>;
interface Shown {
  readonly schema: object;
  readonly example?: unknown;
}

/** What is wrong with a document, as sentences that name the operation. */
export function* documentFaults(document: HttpDocument): Generator<string> {
  const known = new Set<string>();
  const isShownWell = exampleJudge(document);
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const name = `${method.toUpperCase()} ${path}`;
      const { operationId, summary, tags = [], security = [] } = operation;
      if (operationId === undefined) yield `${name} has no operationId`;
      else if (known.has(operationId)) yield `${name}: there is another ${operationId}`;
      else known.add(operationId);
      if (summary === undefined || summary.endsWith('.')) yield `${name} has no summary without a full stop`;
      if (tags.length !== 1) yield `${name} has no tag, or several`;
      if (security.length === 0) yield `${name} does not say who may ask`;
      for (const fault of parameterFaults(path, operation)) yield `${name} ${fault}`;
      for (const fault of answerFaults(document, operation)) yield `${name} ${fault}`;
      for (const [part, shown] of partsOf(document, operation)) {
        if (shown.example === undefined) yield `${name}: ${part} has no example`;
        else
          for (const fault of isShownWell(shown)) yield `${name}: the example of ${part} is none: ${fault}`;
      }
    }
  }
}

function* parameterFaults(path: string, { parameters = [] }: Operation): Generator<string> {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  const described = parameters.filter((one) => one.in === 'path').map(({ name }) => name);
  if (inPath.join() !== described.join()) yield `describes ${described.join()} of its path`;
}

function* answerFaults(document: HttpDocument, { responses = {} }: Operation): Generator<string> {
  const statuses = Object.keys(responses);
  if (statuses.filter((status) => status.startsWith('2')).length !== 1) yield 'does not succeed in one way';
  for (const status of ['401', '403', '429'])
    if (!statuses.includes(status)) yield `does not say what ${status} is`;
  for (const status of statuses.filter((one) => Number(one) >= 400)) {
    const types = Object.keys(resolve(document, responses[status]).content ?? {});
    if (types.join() !== 'application/problem+json') yield `answers ${status} with no problem`;
  }
}

/** All that an operation takes and gives, with what it shows of each. */
function* partsOf(document: HttpDocument, operation: Operation): Generator<[string, Shown]> {
  const { parameters = [], requestBody, responses = {} } = operation;
  for (const parameter of parameters)
    if (parameter.in === 'path') yield [`{${parameter.name}}`, parameter];
    else if (parameter.example !== undefined) yield [parameter.name, parameter];
  for (const shown of Object.values(requestBody?.content ?? {})) yield ['its body', shown];
  for (const [status, response] of Object.entries(responses))
    for (const [type, shown] of Object.entries(resolve(document, response).content ?? {}))
      if (type !== 'text/event-stream') yield [status, shown];
}

function resolve(document: HttpDocument, response: Response | { readonly $ref: string } = {}): Response {
  if (!('$ref' in response)) return response;
  return document.components.responses[response.$ref.replace('#/components/responses/', '')] ?? {};
}

/** Judges examples by the schemas of their document. */
function exampleJudge({ components }: HttpDocument): (shown: Shown) => readonly string[] {
  const ajv = new Ajv2020({ strict: false, validateSchema: false, code: { optimize: false } });
  formats.default(ajv);
  ajv.addSchema({ $id: 'document:', components });
  const judges = new Map<string, ValidateFunction>();
  const judgeBy = (text: string) => {
    const judge = judges.get(text) ?? ajv.compile(JSON.parse(text) as object);
    judges.set(text, judge);
    return judge;
  };
  return ({ schema, example }) => {
    const text = JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"document:#/');
    const fits = judgeBy(text);
    if (fits(example)) return [];
    return (fits.errors ?? []).map(
      ({ instancePath, message }) => `${instancePath || 'it'} ${message ?? 'is refused'}`,
    );
  };
}
