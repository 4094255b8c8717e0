import type { z } from 'zod';
import type { Role } from '../access/caller.js';

/** One operation of an HTTP API, as its list has it; the OpenAPI document is made of these. */
export interface Operation {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  /** What the caller must be, where tokens are asked for. */
  readonly role: Role;
  readonly tag: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly status: 200 | 201 | 202 | 204;
  /** Absent: there is none. */
  readonly answer?: z.ZodType;
  /** Also answers as a stream of server-sent events whose data are these. */
  readonly streams?: z.ZodType;
  /** Takes a header `Idempotency-Key`. */
  readonly idempotent?: true;
  /** Codes of the problems that the operation itself can answer, by status. */
  readonly problems: Readonly<Record<number, readonly string[]>>;
}

/** How an operation is asked and what it answers then. */
export interface OperationExample {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly answer?: unknown;
}

/** What an OpenAPI document is made of. */
export interface ApiDescription {
  readonly title: string;
  readonly description: string;
  readonly operations: readonly Operation[];
  /** By the id of the operation. */
  readonly examples: Readonly<Record<string, OperationExample>>;
  /** Named once, so that generators make one type of each. */
  readonly components: Readonly<Record<string, z.ZodType>>;
}
