import { describe, expect, it } from '@jest/globals';
import { PORT_VARIABLES, BASE_VARIABLES, VARIABLES, describeVariables } from './variables.js';

const readable = Object.entries({ ...BASE_VARIABLES, ...PORT_VARIABLES, ...VARIABLES });

describe('the catalogue of variables', () => {
  it.each(readable.filter(([, { fallback }]) => fallback !== undefined))(
    '%s has a default that is allowed',
    (_name, { read, fallback }) => {
      expect(read.safeParse(fallback).success).toBe(true);
    },
  );

  it.each(readable)('%s has an example that is allowed', (_name, { read, example }) => {
    expect(read.safeParse(example).success).toBe(true);
  });

  it('says of each what it is for, and marks what is required or secret', () => {
    const described = describeVariables();
    expect(described.filter(({ required }) => required).map(({ name }) => name)).toEqual([
      'DATABASE_URL',
      'TWINKEY_FINGERPRINT_SALT',
    ]);
    expect(described.filter(({ secret }) => secret).map(({ name }) => name)).toEqual([
      'DATABASE_URL',
      'SERVICEBUS_CONNECTION_STRING',
      'TWINKEY_FINGERPRINT_SALT',
      'AZURE_CLIENT_SECRET',
      'OTEL_EXPORTER_OTLP_HEADERS',
    ]);
    for (const { what } of described) expect(what).toMatch(/^[A-Zj].*\.$/);
  });
});
