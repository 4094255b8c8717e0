// A call that is refused with 401 is repeated once, with a newer key if there is one.
import type { PipelinePolicy, PipelineRequest } from '@azure/core-rest-pipeline';
import type { Generation } from '@twinkey/contracts';
import type { KeyHolder } from './key-holder.js';

/** What is known of a refused call when it is over. */
export interface RefusedCall {
  /** The generation of the key that was refused first. */
  readonly generation: Generation;
  /** How many answers were 401: 2 when the repetition was refused as well. */
  readonly answers: number;
  /** The repetition was not refused: the caller noticed nothing. */
  readonly healed: boolean;
}

export interface Healing {
  readonly holder: KeyHolder;
  /** Called before a call is given its key; undefined when there is nothing to wait for. */
  readonly confirm: () => Promise<void> | undefined;
  /** Looks for a key newer than `generation`; true when there is one now. */
  readonly findNewer: (generation: Generation) => Promise<boolean>;
  readonly refused: (call: RefusedCall) => void;
}

/** `api-key` is what OpenAI's clients set; every other service takes the first. */
const KEY_HEADER = 'Ocp-Apim-Subscription-Key';
const OPENAI_KEY_HEADER = 'api-key';

export function headerFor(headers: { has(name: string): boolean }): string {
  return headers.has(OPENAI_KEY_HEADER) ? OPENAI_KEY_HEADER : KEY_HEADER;
}

/** `again`: absent when the request cannot be repeated, because its body is a stream that is used up. */
async function heal<Answer extends { readonly status: number }>(
  { holder, confirm, findNewer, refused }: Healing,
  send: (key: string) => Promise<Answer>,
  again: ((key: string, first: Answer) => Promise<Answer>) | undefined,
): Promise<Answer> {
  await confirm();
  let generation = holder.generation;
  const first = await holder.use((held) => {
    generation = held.generation;
    return send(held.key);
  });
  if (first.status !== 401) return first;
  const newer = holder.generation > generation || (await findNewer(generation));
  if (!newer || again === undefined) {
    refused({ generation, answers: 1, healed: false });
    return first;
  }
  const second = await holder.use((held) => again(held.key, first));
  const healed = second.status !== 401;
  refused({ generation, answers: healed ? 1 : 2, healed });
  return second;
}

/**
 * For clients built on @azure/core-rest-pipeline. It sets the key itself, so it belongs behind the phase that signs:
 * `additionalPolicies: [{ policy, position: 'perRetry' }]`, or `pipeline.addPolicy(policy, { afterPhase: 'Sign' })`.
 */
export function healingPolicy(healing: Healing): PipelinePolicy {
  return {
    name: 'twinkeyKey',
    sendRequest: (request, next) => {
      const header = headerFor(request.headers);
      const send = (key: string): ReturnType<typeof next> => {
        request.headers.set(header, key);
        return next(request);
      };
      return heal(healing, send, isRepeatable(request) ? send : undefined);
    },
  };
}

function isRepeatable({ body }: PipelineRequest): boolean {
  return !isStream(body);
}

function isStream(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return false;
  return 'getReader' in body || 'pipe' in body || Symbol.asyncIterator in body;
}

/** `fetch` with the account's key in place. */
export function healingFetch(healing: Healing): typeof fetch {
  return (input, init) => {
    const given = input instanceof Request ? input : undefined;
    const headers = new Headers(init?.headers ?? given?.headers);
    const header = headerFor(headers);
    const send = (to: typeof input, key: string): Promise<Response> => {
      headers.set(header, key);
      return fetch(to, { ...init, headers });
    };
    const spare = given === undefined ? input : given.clone();
    const again = async (key: string, first: Response): Promise<Response> => {
      await first.body?.cancel();
      return send(spare, key);
    };
    return heal(healing, (key) => send(input, key), isStream(init?.body) ? undefined : again);
  };
}
