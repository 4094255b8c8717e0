/** What a principal must be allowed for one call. `operation` is how OpenAI's refusal names the call. */
export interface DataNeed {
  readonly action: string;
  readonly operation?: string;
}

const accounts = 'Microsoft.CognitiveServices/accounts';
const deployment = '/openai/deployments/{deployment-id}';

type Rule = readonly [request: RegExp, action: string, operation: string];

/** OpenAI's actions do not follow its paths. Requests are method, blank, path in lower case. */
const openAi: readonly Rule[] = [
  [
    /^POST openai\/deployments\/[^/]+\/chat\/completions$/,
    'deployments/chat/completions/action',
    `${deployment}/chat/completions`,
  ],
  [
    /^POST openai\/deployments\/[^/]+\/completions$/,
    'deployments/completions/action',
    `${deployment}/completions`,
  ],
  [
    /^POST openai\/deployments\/[^/]+\/embeddings$/,
    'deployments/embeddings/action',
    `${deployment}/embeddings`,
  ],
  [
    /^POST openai\/deployments\/[^/]+\/images\/generations$/,
    'images/generations/action',
    `${deployment}/images/generations`,
  ],
  [/^POST openai\/deployments\/[^/]+\/audio\/.+$/, 'deployments/audio/action', `${deployment}/audio`],
  [
    /^POST openai\/v1\/chat\/completions$/,
    'deployments/chat/completions/action',
    '/openai/v1/chat/completions',
  ],
  [/^POST openai\/v1\/completions$/, 'deployments/completions/action', '/openai/v1/completions'],
  [/^POST openai\/v1\/embeddings$/, 'deployments/embeddings/action', '/openai/v1/embeddings'],
  [/^POST openai\/v1\/images\/generations$/, 'images/generations/action', '/openai/v1/images/generations'],
  [/^POST openai\/v1\/audio\/.+$/, 'deployments/audio/action', '/openai/v1/audio'],
  [/^POST openai\/(v1\/)?responses$/, 'responses/write', '/openai/v1/responses'],
  [/^GET openai\/(v1\/)?responses\/.+$/, 'responses/read', '/openai/v1/responses/{response-id}'],
  [/^DELETE openai\/(v1\/)?responses\/.+$/, 'responses/delete', '/openai/v1/responses/{response-id}'],
  [/^GET openai\/(v1\/)?models(\/.+)?$/, 'models/read', '/openai/models'],
  [/^GET openai\/deployments(\/.+)?$/, 'deployments/read', '/openai/deployments'],
];

/** The service that a path belongs to, by its first segment; else the account's kind says. */
const families: Readonly<Record<string, string>> = {
  openai: 'OpenAI',
  text: 'TextAnalytics',
  language: 'Language',
  translator: 'TextTranslation',
  vision: 'ComputerVision',
  computervision: 'ComputerVision',
  face: 'Face',
  contentsafety: 'ContentSafety',
  formrecognizer: 'FormRecognizer',
  documentintelligence: 'FormRecognizer',
  speechtotext: 'SpeechServices',
  texttospeech: 'SpeechServices',
  speech: 'SpeechServices',
};
const translator = new Set(['translate', 'detect', 'languages', 'transliterate', 'breaksentence']);
const verbs: Readonly<Record<string, string>> = {
  GET: 'read',
  HEAD: 'read',
  PUT: 'write',
  PATCH: 'write',
  DELETE: 'delete',
};

/** Which data action a call needs: by its path, since a multi-service account serves many. */
export function dataNeed(kind: string, method: string, path: string): DataNeed {
  const rule = openAi.find(([request]) => request.test(`${method} ${path}`));
  if (rule !== undefined)
    return { action: `${accounts}/OpenAI/${rule[1]}`, operation: `${method} ${rule[2]}` };
  const [first = '', ...rest] = path.split('/');
  const family = translator.has(first) ? 'TextTranslation' : (families[first] ?? kind);
  const below = families[first] === undefined ? [first, ...rest] : rest;
  // Versions and the doubled name of a service are no part of an action: text/analytics/v3.1/languages.
  const words = below
    .filter((word) => word !== '' && !/^v\d+(\.\d+)*/.test(word) && !['analytics', 'text'].includes(word))
    .map((word) => word.replace(/^:/, ''));
  // Text analytics has one action for everything about entities.
  const named = family === 'TextAnalytics' ? words.slice(0, 1) : words;
  return { action: [accounts, family, ...named, verbs[method] ?? 'action'].join('/') };
}
