// Asks the account itself whether it accepts a key: the only proof that a key works, or does not any more.
import { PermanentFault, TransientFault } from '@twinkey/contracts';
import { retryAfterOf } from './faults.js';
import { type SecretText, withoutKeys } from './secret-text.js';

export type ProbeAnswer = 'accepted' | 'refused' | 'keys-disabled';

interface Question {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
}

/** Cheap, without side effects, and answered by every account that offers text analytics, multi-service ones too. */
const DETECT_NOTHING: Question = {
  method: 'POST',
  path: 'text/analytics/v3.1/languages',
  body: { documents: [{ id: '1', text: 'twinkey' }] },
};

const GET = (path: string): Question => ({ method: 'GET', path });

/**
 * One cheap question per kind of account: its gateway looks at the key before the route, but only for routes that
 * exist. From documentation, tried against the emulated data plane only; a 404 is therefore never taken for an answer.
 */
const QUESTIONS: Readonly<Record<string, Question>> = {
  AIServices: GET('openai/models?api-version=2024-10-21'),
  ComputerVision: GET('vision/v3.2/models'),
  ContentSafety: GET('contentsafety/text/blocklists?api-version=2024-09-01'),
  Face: GET('face/v1.0/facelists'),
  FormRecognizer: GET('formrecognizer/info?api-version=2023-07-31'),
  OpenAI: GET('openai/models?api-version=2024-10-21'),
  SpeechServices: GET('speechtotext/v3.2/models?top=1'),
  TextTranslation: {
    method: 'POST',
    path: 'translator/text/v3.0/detect?api-version=3.0',
    body: [{ Text: 'twinkey' }],
  },
};

/** The first token of the user agent: usage records tell probes from consumers by it. */
const USER_AGENT = 'twinkey-probe/0.1';

/**
 * Whether the account at `endpoint` accepts `key`. `kind` (the account's, as Resource Manager spells it) chooses
 * the question. Throws TransientFault `data-plane-unreachable` or `throttled` when there is no answer to that.
 */
export async function probeKey(
  endpoint: string,
  key: SecretText,
  { deadlineMs, kind }: { deadlineMs: number; kind?: string },
): Promise<ProbeAnswer> {
  const question = QUESTIONS[kind ?? ''] ?? DETECT_NOTHING;
  const url = urlOf(endpoint, question.path);
  const answer = await ask(url, question, key, deadlineMs);
  const body = await text(answer);
  if (answer.status === 401) return 'refused';
  if (answer.status === 403) {
    if (body.includes('AuthenticationTypeDisabled')) return 'keys-disabled';
    throw new PermanentFault('access-refused', `${url.host}: 403 ${withoutKeys(body)}`, {
      remedy: "Let this process through the account's network rules.",
    });
  }
  if (answer.status === 429) {
    throw new TransientFault('throttled', `${url.host}: 429`, {
      retryAfterMs: retryAfterOf({ response: { headers: answer.headers } }) ?? 5_000,
    });
  }
  if (answer.status >= 500 || answer.status === 408) {
    throw new TransientFault('data-plane-unreachable', `${url.host}: ${answer.status}`);
  }
  if (answer.status === 404 || (answer.status >= 300 && answer.status < 400)) {
    throw new PermanentFault(
      'unexpected-answer',
      `${url.host}: ${answer.status} at ${url.pathname}: says nothing about the key`,
      { remedy: "Check the account's endpoint and kind." },
    );
  }
  // 2xx, or a complaint about the question itself: by then the key has been looked at.
  return 'accepted';
}

function urlOf(endpoint: string, path: string): URL {
  const url = new URL(path, endpoint.endsWith('/') ? endpoint : `${endpoint}/`);
  if (url.protocol !== 'https:') {
    throw new PermanentFault(
      'unexpected-answer',
      `endpoint: must be https, not ${url.protocol}//${url.host}`,
    );
  }
  return url;
}

async function ask(
  url: URL,
  { method, body }: Question,
  key: SecretText,
  deadlineMs: number,
): Promise<Response> {
  try {
    return await fetch(url, {
      method,
      headers: {
        'Ocp-Apim-Subscription-Key': key.reveal(),
        'User-Agent': USER_AGENT,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // A redirect would carry the key to wherever it points.
      redirect: 'manual',
      signal: AbortSignal.timeout(deadlineMs),
    });
  } catch (error) {
    throw unreachable(url, error);
  }
}

/** The body under the same deadline: a data plane that stops in mid-answer has not answered. */
async function text(answer: Response): Promise<string> {
  try {
    return await answer.text();
  } catch (error) {
    throw unreachable(new URL(answer.url), error);
  }
}

function unreachable(url: URL, error: unknown): TransientFault {
  const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const said = reason instanceof Error ? withoutKeys(reason.message || reason.name) : String(reason);
  return new TransientFault('data-plane-unreachable', `${url.host}: ${said}`, { cause: error });
}
