// The OpenAPI documents in docs/reference: those of the services, which specs of the services hold against their routes.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { documentFaults, type HttpDocument } from './http-document-rules.js';
import { danglingReferences } from './json-schemas.js';
import { root } from './repository.js';

const validator = new Validator();
const documents = ['openapi.json', 'openapi-notifier.json'].map((file): [string, HttpDocument] => [
  file,
  read(file),
]);
const [[, console] = ['', read('openapi.json')]] = documents;

function read(file: string): HttpDocument {
  return JSON.parse(readFileSync(`${root}docs/reference/${file}`, 'utf8')) as HttpDocument;
}

describe.each(documents)('%s', (_, document) => {
  it('is OpenAPI 3.1 by the schema of its makers', async () => {
    expect(document.openapi).toBe('3.1.0');
    expect(await validator.validate({ ...document })).toEqual({ valid: true });
  });

  it('says of each operation who may ask, how, and what comes back, with an example that fits', () => {
    expect([...documentFaults(document)]).toEqual([]);
  });

  it('refers to nothing that it does not have', () => {
    expect([...danglingReferences(document)]).toEqual([]);
  });
});

describe('a document', () => {
  it.each([
    ['without a title', { ...console, info: {} }],
    ['with a method that HTTP does not have', { ...console, paths: { '/x': { rotate: [] } } }],
  ])('would not be OpenAPI %s', async (_, spoilt) => {
    expect(await validator.validate({ ...spoilt })).toMatchObject({ valid: false });
  });

  it.each([
    ['has no operationId', { operationId: undefined }],
    ['there is another rotate', { operationId: 'rotate' }],
    ['has no summary', { summary: 'Rotate.' }],
    ['has no tag', { tags: [] }],
    ['does not say who may ask', { security: undefined }],
    ['describes  of its path', { parameters: [] }],
    ['its body has no example', { requestBody: { content: { 'application/json': { schema: {} } } } }],
    [
      'the example of its body is none: it must be string',
      { requestBody: { content: { 'application/json': { schema: { type: 'string' }, example: 1 } } } },
    ],
    ['does not succeed in one way', { responses: {} }],
    ['does not say what 429 is', { responses: { 202: {} } }],
    ['answers 409 with no problem', { responses: { 202: {}, 409: { content: {} } } }],
  ])('that breaks a rule of the house is found out: %s', (fault, change) => {
    const path = '/v1/accounts/{name}/rotations';
    const spoilt = { ...console.paths[path]?.['post'], ...change } as never;
    const paths = { '/v1/x': { post: console.paths[path]?.['post'] as never }, [path]: { post: spoilt } };
    expect([...documentFaults({ ...console, paths })]).toContainEqual(expect.stringContaining(fault));
  });
});
