import { afterAll, beforeAll, describe, it, jest } from '@jest/globals';
import { embedded } from './embedded.js';
import { missing, triesAzure, variables, type Variable } from './settings.js';
import { subscription } from './subscription.js';
import type { Target } from './target.js';

/**
 * States promises once, and tries them against the embedded Azure always, against a real subscription with
 * `AZURE_CONTRACT=1`. Variables that a real one needs and that are not set are named in a skipped test.
 */
export function contract(
  service: string,
  needs: readonly Variable[],
  promises: (target: () => Target) => void,
): void {
  against(`${service}, embedded`, embedded, promises);
  if (!triesAzure()) return;
  const absent = missing(needs);
  if (absent.length === 0) {
    jest.setTimeout(300_000); // Azure's locks and expiries take their real time
    against(`${service}, in Azure`, () => Promise.resolve(subscription()), promises);
  } else {
    describe(`${service}, in Azure`, () => {
      for (const name of absent) it.skip(`needs ${name} (${variables[name]})`, () => undefined);
    });
  }
}

function against(name: string, begin: () => Promise<Target>, promises: (target: () => Target) => void): void {
  describe(name, () => {
    let target: Target | undefined;
    beforeAll(async () => {
      target = await begin();
    });
    promises(() => {
      if (target === undefined) throw new Error('The target is there once a test runs, not before.');
      return target;
    });
    // After the hooks of the promises: a client of Service Bus waits half a minute for a server that is gone.
    afterAll(async () => {
      await target?.close();
    });
  });
}

let made = 0;

/** A name that no other run uses, fit for secrets, queues and topics. */
export function uniqueName(what: string): string {
  made += 1;
  return `contract-${what}-${Date.now().toString(36)}${process.pid.toString(36)}${made.toString(36)}`;
}

/** What an attempt fails with; fails itself when the attempt succeeds. */
export async function failureOf(attempt: Promise<unknown>): Promise<unknown> {
  try {
    await attempt;
  } catch (error) {
    return error;
  }
  throw new Error('It should have been refused, and was not.');
}

/** All items of a paged list. */
export async function all<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of pages) found.push(one);
  return found;
}
