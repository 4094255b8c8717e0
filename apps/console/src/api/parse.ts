import type { PipeTransform } from '@nestjs/common';
import { describeProblem } from '@twinkey/contracts';
import { HttpProblem } from '@twinkey/service';
import type { z } from 'zod';

/** A pipe that lets through what the schema makes of the input; otherwise the answer names each field and its rule. */
export function parse<Output>(schema: z.ZodType<Output>): PipeTransform<unknown, Output> {
  return {
    transform(input) {
      const parsed = schema.safeParse(input ?? {});
      if (parsed.success) return parsed.data;
      throw new HttpProblem(400, 'invalid-request', `${describeProblem(parsed.error)}.`);
    },
  };
}
