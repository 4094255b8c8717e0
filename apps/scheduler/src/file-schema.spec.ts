import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { editorSchema } from './file-schema.js';

describe('twinkey.schema.json, which editors complete and check the file with', () => {
  const committed: unknown = JSON.parse(
    readFileSync(new URL('../twinkey.schema.json', import.meta.url), 'utf8'),
  );

  it('says what the scheduler accepts', () => {
    expect(committed).toEqual(editorSchema());
  });

  it('explains every field of a policy and of an account', () => {
    const { properties } = committed as {
      properties: {
        policies: { additionalProperties: { properties: Record<string, { description?: string }> } };
        accounts: { anyOf: [{ items: { properties: Record<string, { description?: string }> } }] };
      };
    };
    const fields = {
      ...properties.policies.additionalProperties.properties,
      ...properties.accounts.anyOf[0].items.properties,
    };
    expect(Object.keys(fields)).toHaveLength(13);
    expect(Object.entries(fields).filter(([, { description }]) => !description)).toEqual([]);
  });
});
