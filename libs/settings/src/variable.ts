import { z } from 'zod';

export const SERVICE_NAMES = ['scheduler', 'rotator', 'notifier', 'console'] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];
export type UsedBy = ServiceName | 'cli' | 'consumer';

/** One environment variable: what it is for people, and how its text becomes a value. */
export interface Variable<Field extends string = string, Value = unknown> {
  /** The field of `Config` that carries it. */
  readonly field: Field;
  /** One sentence. */
  readonly what: string;
  readonly example: string;
  /** As it would be written in the environment. Without one the variable is required, unless `optional`. */
  readonly fallback?: string;
  readonly optional?: true;
  readonly secret?: true;
  readonly usedBy: readonly UsedBy[];
  readonly read: z.ZodType<Value>;
}

export function variable<const Field extends string, Value>(
  definition: Omit<Variable<Field, Value>, 'optional'>,
): Variable<Field, Value> {
  return definition;
}

export function optionalVariable<const Field extends string, Value>(
  definition: Omit<Variable<Field, Value>, 'optional' | 'fallback'>,
): Variable<Field, Value | undefined> {
  return { ...definition, optional: true };
}

export const text = z.string().trim().min(1, 'must not be empty');
export const flag = z.enum(['true', 'false'], 'must be true or false').transform((value) => value === 'true');
export const httpUrl = z
  .url({ protocol: /^https?$/, error: 'must be a URL that starts with https:// or http://' })
  .transform((url) => url.replace(/\/+$/, ''));

export function wholeNumber(least: number, most: number): z.ZodType<number> {
  return z
    .string()
    .regex(/^\d{1,9}$/, `must be a whole number from ${least} to ${most}`)
    .transform(Number)
    .refine((value) => value >= least && value <= most, `must be a whole number from ${least} to ${most}`);
}

/** Fractions are allowed: tests and the sample fleet live on short times. */
export function seconds(least: number, most: number): z.ZodType<number> {
  return z
    .string()
    .regex(/^\d{1,9}(\.\d{1,3})?$/, `must be a number of seconds from ${least} to ${most}`)
    .transform(Number)
    .refine(
      (value) => value >= least && value <= most,
      `must be a number of seconds from ${least} to ${most}`,
    );
}

export const port = wholeNumber(0, 65_535);
