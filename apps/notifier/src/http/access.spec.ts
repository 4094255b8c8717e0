import { beforeAll, describe, expect, it } from '@jest/globals';
import { accessMatrix, inReference, tableOf } from '@twinkey/service/access-matrix';
import { notifier } from '../notifier.js';

/** Written by hand: a route that is new, or that lets in somebody else, needs a line that somebody has thought of. */
const WANTED = `
| route                                                   | no token | no role | other roles | read | operate | admin | consumer | one consumer |
| ------------------------------------------------------- | -------- | ------- | ----------- | ---- | ------- | ----- | -------- | ------------ |
| GET /health/live                                        | yes      | yes     | yes         | yes  | yes     | yes   | yes      | yes          |
| GET /health/ready                                       | yes      | yes     | yes         | yes  | yes     | yes   | yes      | yes          |
| POST /v1/consumers/:consumer/acknowledgements           | 401      | 403     | 403         | 403  | 403     | 403   | yes      | yes          |
| POST /v1/instances                                      | 401      | 403     | 403         | 403  | 403     | 403   | yes      | yes          |
| POST /v1/instances/:instance/heartbeat                  | 401      | 403     | 403         | 403  | 403     | 403   | yes      | yes          |
| DELETE /v1/instances/:instance                          | 401      | 403     | 403         | 403  | 403     | 403   | yes      | yes          |
| GET /v1/accounts/:name/switch                           | 401      | 403     | 403         | yes  | yes     | yes   | 403      | 403          |
| GET /v1/consumers                                       | 401      | 403     | 403         | yes  | yes     | yes   | 403      | 403          |
| GET /v1/webhooks                                        | 401      | 403     | 403         | yes  | yes     | yes   | 403      | 403          |
| GET /v1/webhooks/:consumer/deliveries                   | 401      | 403     | 403         | yes  | yes     | yes   | 403      | 403          |
| POST /v1/webhooks/:consumer/test                        | 401      | 403     | 403         | 403  | yes     | yes   | 403      | 403          |
| POST /v1/webhooks/:consumer/deliveries/:delivery/resend | 401      | 403     | 403         | 403  | yes     | yes   | 403      | 403          |
| GET /openapi.json                                       | 401      | 403     | 403         | yes  | yes     | yes   | 403      | 403          |
`;

let routes: readonly string[];

beforeAll(async () => {
  routes = tableOf(await accessMatrix(notifier));
});

describe('the notifier', () => {
  it('lets each caller through to the routes of the table, and to no other', () => {
    expect(routes).toEqual(WANTED.trim().split('\n'));
  });

  it('is in the reference of who may ask what; UPDATE_REFERENCE=1 writes its table anew', async () => {
    expect(await inReference('notifier', routes)).toEqual(routes);
  });
});
