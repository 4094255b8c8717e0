import { HttpProblem } from '@twinkey/service';
import { IdempotencyKey } from './questions.js';

/** The `Idempotency-Key` of a request, if it came with one. */
export function idempotencyKeyOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const key = IdempotencyKey.safeParse(header);
  if (key.success) return key.data;
  throw new HttpProblem(400, 'invalid-request', 'Idempotency-Key: must have 1 to 200 characters.');
}
