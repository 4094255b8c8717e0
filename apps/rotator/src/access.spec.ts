import { beforeAll, describe, expect, it } from '@jest/globals';
import { accessMatrix, inReference, tableOf } from '@twinkey/service/access-matrix';
import { rotator } from './rotator.js';

/** Written by hand: a route that is new, or that lets in somebody else, needs a line that somebody has thought of. */
const WANTED = `
| route             | no token | no role | other roles | read | operate | admin | consumer | one consumer |
| ----------------- | -------- | ------- | ----------- | ---- | ------- | ----- | -------- | ------------ |
| GET /health/live  | yes      | yes     | yes         | yes  | yes     | yes   | yes      | yes          |
| GET /health/ready | yes      | yes     | yes         | yes  | yes     | yes   | yes      | yes          |
`;

let routes: readonly string[];

beforeAll(async () => {
  routes = tableOf(await accessMatrix(rotator, { TWINKEY_FINGERPRINT_SALT: 'of nothing at all' }));
});

describe('the rotator', () => {
  it('lets each caller through to the routes of the table, and to no other', () => {
    expect(routes).toEqual(WANTED.trim().split('\n'));
  });

  it('is in the reference of who may ask what; UPDATE_REFERENCE=1 writes its table anew', async () => {
    expect(await inReference('rotator', routes)).toEqual(routes);
  });
});
