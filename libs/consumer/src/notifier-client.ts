import {
  describeProblem,
  HeartbeatAnswer,
  type HeartbeatRequest,
  type InstanceId,
  PermanentFault,
  RegisterAnswer,
  type RegisterRequest,
  TransientFault,
} from '@twinkey/contracts';

/** The notifier as an instance sees it. Every method fails with a TransientFault or a PermanentFault. */
export interface Notifier {
  register(request: RegisterRequest): Promise<RegisterAnswer>;
  heartbeat(instance: InstanceId, request: HeartbeatRequest): Promise<HeartbeatAnswer | 'unknown-instance'>;
  goodbye(instance: InstanceId): Promise<void>;
}

const CALL_WITHIN_MS = 5_000;

/** What no repetition changes. A 404 may: accounts become known some time after their installation starts. */
const FINAL = new Set([400, 401, 403]);

/** `bearer` gives the token that the notifier asks for, where it asks for one. */
export function notifierClient(baseUrl: string, bearer?: () => Promise<string>): Notifier {
  const call = (url: URL, method: string, body?: object): Promise<Response> =>
    send(url, { method, body, bearer });
  const url = (path: string): URL => new URL(path, baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`);
  return {
    async register(request) {
      const answer = await call(url('v1/instances'), 'POST', request);
      if (!answer.ok) throw await refusal(answer);
      return parsed(RegisterAnswer, answer);
    },
    async heartbeat(instance, request) {
      const answer = await call(url(`v1/instances/${instance}/heartbeat`), 'POST', request);
      if (answer.status === 410) {
        await answer.body?.cancel();
        return 'unknown-instance';
      }
      if (!answer.ok) throw await refusal(answer);
      return parsed(HeartbeatAnswer, answer);
    },
    async goodbye(instance) {
      const answer = await call(url(`v1/instances/${instance}`), 'DELETE');
      // Unknown is as good as gone.
      if (!answer.ok && answer.status !== 404 && answer.status !== 410) throw await refusal(answer);
      await answer.body?.cancel();
    },
  };
}

interface Asked {
  readonly method: string;
  readonly body: object | undefined;
  readonly bearer: (() => Promise<string>) | undefined;
}

async function send(url: URL, { method, body, bearer }: Asked): Promise<Response> {
  const authorization = bearer === undefined ? {} : { authorization: `Bearer ${await bearer()}` };
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  try {
    return await fetch(url, {
      method,
      headers: { ...authorization, ...type },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(CALL_WITHIN_MS),
    });
  } catch (error) {
    throw unreachable(url, error);
  }
}

function unreachable(url: URL, error: unknown): TransientFault {
  const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const said = reason instanceof Error ? reason.message || reason.name : String(reason);
  return new TransientFault('notifier-unreachable', `${url.origin}: ${said}`, { cause: error });
}

async function jsonOf(answer: Response): Promise<unknown> {
  try {
    return JSON.parse(await answer.text()) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw unreachable(new URL(answer.url), error);
  }
}

async function parsed<Data>(
  schema: {
    safeParse(
      value: unknown,
    ): { success: true; data: Data } | { success: false; error: Parameters<typeof describeProblem>[0] };
  },
  answer: Response,
): Promise<Data> {
  const read = schema.safeParse(await jsonOf(answer));
  if (read.success) return read.data;
  throw new TransientFault(
    'notifier-unreachable',
    `${new URL(answer.url).origin}: not the answer of a notifier: ${describeProblem(read.error)}`,
  );
}

/** The notifier explains itself in problem details (RFC 9457): `code` for programs, `detail` for people. */
async function refusal(answer: Response): Promise<TransientFault | PermanentFault> {
  const problem = await jsonOf(answer);
  const code = textOf(problem, 'code') ?? `http-${answer.status}`;
  const detail = textOf(problem, 'detail') ?? textOf(problem, 'title') ?? answer.statusText;
  const message = `${new URL(answer.url).origin}: ${answer.status} ${detail}`;
  return FINAL.has(answer.status) ? new PermanentFault(code, message) : new TransientFault(code, message);
}

function textOf(problem: unknown, field: string): string | undefined {
  const value: unknown =
    typeof problem === 'object' && problem !== null ? Reflect.get(problem, field) : undefined;
  return typeof value === 'string' ? value : undefined;
}
