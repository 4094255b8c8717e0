import { createHash } from 'node:crypto';

const ROTATION_ID = /^r-[0-9a-f]{12}$/;

/**
 * The trace of a rotation, derived from its id: whoever works on the rotation knows it, after any crash, redelivery or
 * replay, and weeks later, without anybody having kept it.
 */
export interface RotationTrace {
  readonly traceId: string;
  /** Of the span that stands for the whole rotation; it is told when the rotation has ended. */
  readonly spanId: string;
}

export function rotationTrace(rotationId: string): RotationTrace {
  const digits = createHash('sha256').update(`twinkey rotation ${rotationId}`).digest('hex');
  return { traceId: digits.slice(0, 32), spanId: digits.slice(32, 48) };
}

/** The id of the rotation that a message is about, as far as its body says one. */
export function rotationIn(body: unknown): string | undefined {
  const data = fieldOf(body, 'data');
  const rotationId = fieldOf(data, 'rotationId');
  return typeof rotationId === 'string' && ROTATION_ID.test(rotationId) ? rotationId : undefined;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}
