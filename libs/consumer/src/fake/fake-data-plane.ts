// What an account answers, as far as keys and tokens are concerned; everything else is up to the test.
import { createHttpHeaders, type PipelinePolicy, type PipelineRequest } from '@azure/core-rest-pipeline';
import { KEY_HEADER, OPENAI_KEY_HEADER, urlOf } from '../proofs.js';

/** What an account can be told to refuse: keys altogether, the exchange of keys for tokens, or tokens of Entra. */
export type Refusable = 'key' | 'exchange' | 'entra';

type Verdict = 'pass' | 401 | 403 | 503;

interface HeaderBag {
  get(name: string): string | null | undefined;
}

const TOKEN = /^Bearer fake-token-/;

export class FakeDataPlane {
  readonly #deadKeys = new Set<string>();
  readonly #refused = new Set<Refusable>();
  #tokens = 0;

  kill(key: string): void {
    this.#deadKeys.add(key);
  }

  revive(key: string): void {
    this.#deadKeys.delete(key);
  }

  refuse(what: Refusable): void {
    this.#refused.add(what);
  }

  accept(what: Refusable): void {
    this.#refused.delete(what);
  }

  /** `fetch` in front of `beyond`, which gets what is let in. */
  fetch(beyond: typeof fetch): typeof fetch {
    return (input, init) => {
      const request = input instanceof Request ? input : undefined;
      const headers = new Headers(init?.headers ?? request?.headers);
      const isExchange = /\/sts\/v1\.0\/issueToken$/i.test(new URL(urlOf(input)).pathname);
      const verdict = this.#judge(headers, isExchange);
      if (verdict !== 'pass') return Promise.resolve(new Response(refusal(verdict), { status: verdict }));
      if (!isExchange) return beyond(input, init);
      this.#tokens += 1;
      return Promise.resolve(new Response(`fake-token-${this.#tokens}`));
    };
  }

  /** `policy` with the same in front of the client's own transport. */
  policy(policy: PipelinePolicy): PipelinePolicy {
    return {
      name: policy.name,
      sendRequest: (request, next) =>
        policy.sendRequest(request, (signed) => {
          const verdict = this.#judge(signed.headers, false);
          return verdict === 'pass' ? next(signed) : Promise.resolve(refusedAnswer(signed, verdict));
        }),
    };
  }

  #judge(headers: HeaderBag, isExchange: boolean): Verdict {
    const key = headers.get(KEY_HEADER) ?? headers.get(OPENAI_KEY_HEADER);
    if (typeof key === 'string') {
      if (this.#refused.has('key') || this.#deadKeys.has(key)) return 401;
      return isExchange && this.#refused.has('exchange') ? 503 : 'pass';
    }
    const bearer = headers.get('Authorization') ?? '';
    if (bearer === '') return 401;
    return this.#refused.has('entra') && !TOKEN.test(bearer) ? 403 : 'pass';
  }
}

function refusal(status: number): string {
  return JSON.stringify({ error: { code: String(status), message: 'Refused by the fake account.' } });
}

function refusedAnswer(request: PipelineRequest, status: number) {
  const headers = createHttpHeaders({ 'content-type': 'application/json' });
  return { request, status, headers, bodyAsText: refusal(status) };
}
