// A call that is refused with 401 is repeated once, with a newer key if there is one.
import type { PipelinePolicy } from '@azure/core-rest-pipeline';
import type { Generation } from '@twinkey/contracts';
import type { HeldKey, KeyHolder } from './key-holder.js';
import { fetchAttempts, isRepeatable, keyHeaderOf, showKey } from './proofs.js';

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
  /** A call carries the key. */
  readonly presented?: () => void;
}

/** `again`: absent when the request cannot be repeated, because its body is a stream that is used up. */
export async function heal<Answer extends { readonly status: number }>(
  { holder, confirm, findNewer, refused, presented }: Healing,
  send: (held: HeldKey) => Promise<Answer>,
  again: ((held: HeldKey, first: Answer) => Promise<Answer>) | undefined,
): Promise<Answer> {
  await confirm();
  let generation = holder.generation;
  const first = await holder.use((held) => {
    generation = held.generation;
    presented?.();
    return send(held);
  });
  if (first.status !== 401) return first;
  const newer = holder.generation > generation || (await findNewer(generation));
  if (!newer || again === undefined) {
    refused({ generation, answers: 1, healed: false });
    return first;
  }
  const second = await holder.use((held) => {
    presented?.();
    return again(held, first);
  });
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
      const header = keyHeaderOf(request.headers, request.url);
      const send = ({ key }: HeldKey): ReturnType<typeof next> => {
        showKey(request.headers, header, key);
        return next(request);
      };
      return heal(healing, send, isRepeatable(request.body) ? send : undefined);
    },
  };
}

/** `fetch` with the account's key in place. */
export function healingFetch(healing: Healing, plain: typeof fetch = fetch): typeof fetch {
  return (input, init) => {
    const { header, send, isRepeatable } = fetchAttempts(plain, input, init);
    const withKey = ({ key }: HeldKey): Promise<Response> =>
      send((headers) => {
        showKey(headers, header, key);
      });
    const again = async (held: HeldKey, first: Response): Promise<Response> => {
      await first.body?.cancel();
      return withKey(held);
    };
    return heal(healing, withKey, isRepeatable ? again : undefined);
  };
}
