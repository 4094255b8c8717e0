import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { accessMatrix, inReference, tableOf } from '@twinkey/service/access-matrix';
import { scheduler } from './scheduler.js';

const file = fileURLToPath(new URL('../../../deploy/kubernetes/base/twinkey.yaml', import.meta.url));

/** Written by hand: a route that is new, or that lets in somebody else, needs a line that somebody has thought of. */
const WANTED = `
| route             | no token | no role | other roles | read | operate | admin | consumer | one consumer |
| ----------------- | -------- | ------- | ----------- | ---- | ------- | ----- | -------- | ------------ |
| GET /health/live  | yes      | yes     | yes         | yes  | yes     | yes   | yes      | yes          |
| GET /health/ready | yes      | yes     | yes         | yes  | yes     | yes   | yes      | yes          |
| GET /v1/accounts  | 401      | 403     | 403         | yes  | yes     | yes   | 403      | 403          |
`;

let routes: readonly string[];

beforeAll(async () => {
  routes = tableOf(await accessMatrix(scheduler, { TWINKEY_FILE: file }));
});

describe('the scheduler', () => {
  it('lets each caller through to the routes of the table, and to no other', () => {
    expect(routes).toEqual(WANTED.trim().split('\n'));
  });

  it('is in the reference of who may ask what; UPDATE_REFERENCE=1 writes its table anew', async () => {
    expect(await inReference('scheduler', routes)).toEqual(routes);
  });
});
