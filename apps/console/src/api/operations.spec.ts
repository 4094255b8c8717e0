import { describe, expect, it } from '@jest/globals';
import { OPERATIONS } from './operations.js';

// That the list has every route with its role is held against the running console in access.spec.ts.
describe('the list of operations', () => {
  const changing = OPERATIONS.filter(({ method }) => method !== 'get');

  it('lets nobody change anything who may only look', () => {
    expect(changing.filter(({ role }) => role === 'read')).toEqual([]);
  });

  it('takes an idempotency key for all that changes something, and says what another use of it is answered', () => {
    expect(changing.filter(({ idempotent }) => idempotent !== true).map(({ id }) => id)).toEqual([]);
    expect(changing.filter(({ problems }) => problems[422] === undefined).map(({ id }) => id)).toEqual([]);
  });
});
