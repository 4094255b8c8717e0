import { describeProblem } from '@twinkey/contracts';
import { HttpProblem } from '@twinkey/service';
import type { z } from 'zod';

/** Reads what came over HTTP; a refusal names each field and its rule, never a value. */
export function parse<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const read = schema.safeParse(input);
  if (read.success) return read.data;
  throw new HttpProblem(
    400,
    'invalid-request',
    `The request cannot be read: ${describeProblem(read.error)}.`,
  );
}
