import { isObject, json, jsonObject, jsonValue, type Incoming, type Reply } from '../host/plugin.js';
import type { Account } from '../resource-manager/state.js';

/** Small answers in the shapes that the real clients check; they are about authentication, not intelligence. */
export function answerCall(account: Account, request: Incoming): Reply {
  const path = request.segments.slice(1).join('/').toLowerCase();
  if (path === 'text/analytics/v3.1/languages') return json(200, languages(request.body));
  if (/^(translator\/text\/v3\.0\/)?translate$/.test(path)) return json(200, translations(request));
  if (path.endsWith('/chat/completions')) return json(200, completion(request));
  return json(200, {
    account: account.name,
    kind: account.kind,
    method: request.method,
    path: `/${request.segments.slice(1).join('/')}`,
    receivedBytes: request.body.length,
  });
}

const tellTales = [
  ['de', 'German', /\b(der|die|das|und|ist|nicht|ein)\b/i],
  ['fr', 'French', /\b(le|la|les|est|une|bonjour|et)\b/i],
  ['es', 'Spanish', /\b(el|los|las|una|hola|y|es)\b/i],
] as const;

function detect(text: string): { readonly code: string; readonly name: string } {
  const found = tellTales.find(([, , words]) => words.test(text));
  return found === undefined ? { code: 'en', name: 'English' } : { code: found[0], name: found[1] };
}

function languages(body: Buffer) {
  const documents = jsonObject(body)?.['documents'];
  return {
    documents: (Array.isArray(documents) ? documents.filter(isObject) : []).map((document) => {
      const { code, name } = detect(textOf(document['text']));
      const detectedLanguage = { name, iso6391Name: code, confidenceScore: 1 };
      return { id: textOf(document['id']), detectedLanguage, warnings: [] };
    }),
    errors: [],
    modelVersion: '2022-10-01',
  };
}

/** Version 3 asks for the targets in the query and answers a list; the versions since have them in the body. */
function translations({ body, query }: Incoming) {
  const inputs = jsonObject(body)?.['inputs'];
  if (Array.isArray(inputs)) {
    return {
      value: inputs.filter(isObject).map((input) => {
        const text = textOf(input['text']);
        const targets: readonly unknown[] = Array.isArray(input['targets']) ? input['targets'] : [];
        return {
          detectedLanguage: detected(text),
          translations: targets.filter(isObject).map((target) => {
            const language = textOf(target['language']);
            return { language, text: `[${language}] ${text}` };
          }),
        };
      }),
    };
  }
  const texts = jsonValue(body);
  return (Array.isArray(texts) ? texts.filter(isObject) : []).map((one) => {
    const text = textOf(one['Text'] ?? one['text']);
    const translated = query.getAll('to').map((to) => ({ text: `[${to}] ${text}`, to }));
    return { detectedLanguage: detected(text), translations: translated };
  });
}

function detected(text: string) {
  return { language: detect(text).code, score: 1 };
}

function completion({ body, segments }: Incoming) {
  const asked = jsonObject(body);
  const messages = asked?.['messages'];
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : undefined;
  const content = isObject(last) ? textOf(last['content']) : '';
  return {
    id: 'chatcmpl-local',
    object: 'chat.completion',
    created: 0,
    model: textOf(asked?.['model']) || (segments[3] ?? 'local'),
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content, refusal: null },
        finish_reason: 'stop',
        logprobs: null,
      },
    ],
    usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
