import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { PermanentFault, TransientFault } from '@twinkey/contracts';
import { waitFor } from './wait-for.js';

let lines: string[];
const note = (_fields: object, message: string) => void lines.push(message);
const log = { debug: note, info: note, warn: note, error: note, child: () => log };
const away = new TransientFault('database-unreachable', 'PostgreSQL at db:5432 does not answer.');
const refused = new PermanentFault('bus-unauthorized', 'Refused.', { remedy: 'Ask.' });

const waiting = (more = {}) => ({ what: 'the database', log, signal: new AbortController().signal, ...more });

/** Fails with each of these, then works. */
function failing(...errors: Error[]) {
  return jest.fn(() => {
    const error = errors.shift();
    return error === undefined ? Promise.resolve('there') : Promise.reject(error);
  });
}

beforeEach(() => {
  lines = [];
  // Real promises of node:timers/promises are not faked by name, so the clock of the process stays and is short.
  jest.useRealTimers();
});
afterEach(() => {
  jest.restoreAllMocks();
});

describe('waiting for a neighbour', () => {
  it('goes on until it is there, with one line for each reason and one for the end', async () => {
    const busy = new TransientFault('database-busy', 'No connection left.');
    const attempt = failing(away, away, busy);
    expect(await waitFor(attempt, waiting())).toBe('there');
    expect(lines).toEqual([
      'Waiting for the database: PostgreSQL at db:5432 does not answer.',
      'Waiting for the database: No connection left.',
      'The service has the database now',
    ]);
  });

  it('says nothing when it is there at once', async () => {
    await waitFor(failing(), waiting());
    expect(lines).toEqual([]);
  });

  it('ends with what waiting does not mend', async () => {
    await expect(waitFor(failing(refused), waiting())).rejects.toBe(refused);
    await expect(waitFor(failing(new TypeError('x')), waiting())).rejects.toThrow(TypeError);
  });

  it('waits even for a person where one may act meanwhile', async () => {
    expect(await waitFor(failing(refused), waiting({ evenPermanent: true }))).toBe('there');
    expect(lines[0]).toBe('Waiting for the database: Refused. Ask.');
  });

  it('ends at once when the service stops', async () => {
    const stop = new AbortController();
    const waited = waitFor(() => Promise.reject(away), waiting({ signal: stop.signal }));
    stop.abort(new Error('The service stops.'));
    await expect(waited).rejects.toThrow('The service stops.');
  });
});
