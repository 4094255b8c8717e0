import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  accessMatrix,
  inReference,
  rolesOf,
  tableOf,
  type RouteAccess,
} from '@twinkey/service/access-matrix';
import { consoleService } from '../console.service.js';
import { OPERATIONS } from './operations.js';

/** Written by hand: a route that is new, or that lets in somebody else, needs a line that somebody has thought of. */
const WANTED = `
| route                             | no token | no role | other roles | read | operate | admin | consumer | one consumer |
| --------------------------------- | -------- | ------- | ----------- | ---- | ------- | ----- | -------- | ------------ |
| GET /health/live                  | yes      | yes     | yes         | yes  | yes     | yes   | yes      | yes          |
| GET /health/ready                 | yes      | yes     | yes         | yes  | yes     | yes   | yes      | yes          |
| GET /v1/status                    | 401      | 403     | 403         | yes  | yes     | yes   | 403      | 403          |
| GET /v1/accounts                  | 401      | 403     | 403         | yes  | yes     | yes   | 403      | 403          |
| GET /v1/accounts/:name            | 401      | 403     | 403         | yes  | yes     | yes   | 403      | 403          |
| POST /v1/accounts/:name/rotations | 401      | 403     | 403         | 403  | yes     | yes   | 403      | 403          |
| GET /v1/accounts/:name/keyless    | 401      | 403     | 403         | yes  | yes     | yes   | 403      | 403          |
| GET /v1/consumers                 | 401      | 403     | 403         | yes  | yes     | yes   | 403      | 403          |
| GET /v1/consumers/:name           | 401      | 403     | 403         | yes  | yes     | yes   | 403      | 403          |
| PUT /v1/consumers/:name           | 401      | 403     | 403         | 403  | 403     | yes   | 403      | 403          |
| DELETE /v1/consumers/:name        | 401      | 403     | 403         | 403  | 403     | yes   | 403      | 403          |
| GET /v1/rotations                 | 401      | 403     | 403         | yes  | yes     | yes   | 403      | 403          |
| GET /v1/rotations/:id             | 401      | 403     | 403         | yes  | yes     | yes   | 403      | 403          |
| GET /v1/rotations/:id/explanation | 401      | 403     | 403         | yes  | yes     | yes   | 403      | 403          |
| POST /v1/rotations/:id/replay     | 401      | 403     | 403         | 403  | yes     | yes   | 403      | 403          |
| POST /v1/rotations/:id/halt       | 401      | 403     | 403         | 403  | yes     | yes   | 403      | 403          |
| POST /v1/rotations/:id/waive      | 401      | 403     | 403         | 403  | 403     | yes   | 403      | 403          |
| GET /v1/events                    | 401      | 403     | 403         | yes  | yes     | yes   | 403      | 403          |
| GET /v1/rotations/:id/events      | 401      | 403     | 403         | yes  | yes     | yes   | 403      | 403          |
| GET /v1/dead-letters              | 401      | 403     | 403         | yes  | yes     | yes   | 403      | 403          |
| POST /v1/dead-letters/replay      | 401      | 403     | 403         | 403  | yes     | yes   | 403      | 403          |
| GET /v1/commands                  | 401      | 403     | 403         | yes  | yes     | yes   | 403      | 403          |
| GET /openapi.json                 | 401      | 403     | 403         | yes  | yes     | yes   | 403      | 403          |
`;

let matrix: readonly RouteAccess[];
let routes: readonly string[];

beforeAll(async () => {
  matrix = await accessMatrix(consoleService);
  routes = tableOf(matrix);
});

describe('the console', () => {
  it('lets each caller through to the routes of the table, and to no other', () => {
    expect(routes).toEqual(WANTED.trim().split('\n'));
  });

  it('is in the reference of who may ask what; UPDATE_REFERENCE=1 writes its table anew', async () => {
    expect(await inReference('console', routes)).toEqual(routes);
  });

  it('describes each of them with its role in the list of operations, and no other', () => {
    const listed = OPERATIONS.map(({ method, path, role }) => [`${method.toUpperCase()} ${path}`, role]);
    expect(rolesOf(matrix)).toEqual({ ...Object.fromEntries(listed), 'GET /openapi.json': 'read' });
  });
});
