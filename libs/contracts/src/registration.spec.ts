import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { HeartbeatRequest } from './index.js';

const folder = new URL('../samples-http/', import.meta.url);
const samples = readdirSync(folder)
  .sort()
  .map((file) => ({ file, body: JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as object }));

describe('a golden heartbeat', () => {
  it.each(samples)('$file is read for ever, and nothing of it is lost', ({ body }) => {
    expect(HeartbeatRequest.parse(body)).toEqual(body);
  });

  it.each(samples)('$file is still read when a newer instance adds fields', ({ body }) => {
    expect(HeartbeatRequest.parse({ ...body, knownLater: { more: [1] } })).toEqual(body);
  });
});
