import { isObject, json, jsonObject, type Reply } from '../../host/plugin.js';
import { detectLanguage } from './language.js';
import { textOf } from './text.js';

type Result = Readonly<Record<string, unknown>>;
type Analysis = (text: string) => Result;

const modelVersion = '2022-10-01';
const good = /\b(good|great|best|love\w*|happy|wonderful|excellent|nice)\b/i;
const bad = /\b(bad|worst|terrible|hate\w*|sad|awful|broken|poor)\b/i;

const analyses = {
  languages: (text: string) => {
    const { code, name } = detectLanguage(text);
    return { detectedLanguage: { name, iso6391Name: code, confidenceScore: 1 } };
  },
  sentiment: (text: string) => {
    const sentences = [...text.matchAll(/[^.!?]+[.!?]*/g)].map(({ 0: part, index }) => {
      const start = index + (part.length - part.trimStart().length);
      return { ...moodOf(part), text: part.trim(), offset: start, length: part.trim().length };
    });
    const moods = new Set(sentences.map(({ sentiment }) => sentiment).filter((mood) => mood !== 'neutral'));
    return { ...moodOf(text), ...(moods.size > 1 ? { sentiment: 'mixed' } : {}), sentences };
  },
  keyphrases: (text: string) => ({
    keyPhrases: [...new Set(text.match(/\p{L}{5,}/gu) ?? [])].slice(0, 5),
  }),
  entities: (text: string) => ({ entities: entitiesOf(text) }),
  pii: (text: string) => {
    const entities = entitiesOf(text).filter(({ category }) => category === 'Email' || category === 'Person');
    let redactedText = text;
    for (const { offset, length } of entities)
      redactedText = redactedText.slice(0, offset) + '*'.repeat(length) + redactedText.slice(offset + length);
    return { redactedText, entities };
  },
  linking: (text: string) => ({
    entities: entitiesOf(text)
      .filter(({ category }) => category === 'Person')
      .map((entity) => ({
        name: entity.text,
        matches: [{ text: entity.text, offset: entity.offset, length: entity.length, confidenceScore: 1 }],
        language: 'en',
        id: entity.text,
        url: `https://en.wikipedia.org/wiki/${encodeURIComponent(entity.text)}`,
        dataSource: 'Wikipedia',
      })),
  }),
} satisfies Readonly<Record<string, Analysis>>;

const byPath: Readonly<Record<string, Analysis>> = {
  languages: analyses.languages,
  sentiment: analyses.sentiment,
  keyphrases: analyses.keyphrases,
  'entities/recognition/general': analyses.entities,
  'entities/recognition/pii': analyses.pii,
  'entities/linking': analyses.linking,
};

const byKind: Readonly<Record<string, Analysis>> = {
  LanguageDetection: analyses.languages,
  SentimentAnalysis: analyses.sentiment,
  KeyPhraseExtraction: analyses.keyphrases,
  EntityRecognition: analyses.entities,
  PiiEntityRecognition: analyses.pii,
  EntityLinking: analyses.linking,
};

/** Version 3: one path for each analysis. `undefined` for a path that has none. */
export function answerTextAnalytics(what: string, body: Buffer): Reply | undefined {
  const analysis = byPath[what];
  if (analysis === undefined) return undefined;
  const results = analyse(jsonObject(body)?.['documents'], analysis);
  return results === undefined ? noDocuments() : json(200, results);
}

/** Since then: one path, and the body says which analysis. */
export function analyzeText(body: Buffer): Reply {
  const fields = jsonObject(body);
  const kind = textOf(fields?.['kind']);
  const analysis = byKind[kind];
  if (analysis === undefined) {
    const message = `Invalid task kind. Use one of ${Object.keys(byKind).join(', ')}.`;
    return json(400, { error: { code: 'InvalidArgument', message, target: 'kind' } });
  }
  const input = fields?.['analysisInput'];
  const results = analyse(isObject(input) ? input['documents'] : undefined, analysis);
  return results === undefined ? noDocuments() : json(200, { kind: `${kind}Results`, results });
}

function analyse(given: unknown, analysis: Analysis): Result | undefined {
  const list: readonly unknown[] = Array.isArray(given) ? given : [];
  const documents = list
    .filter(isObject)
    .map((one) => ({ id: textOf(one['id']), text: textOf(one['text']) }));
  if (documents.length === 0) return undefined;
  return {
    documents: documents
      .filter(({ text }) => text !== '')
      .map(({ id, text }) => ({ id, ...analysis(text), warnings: [] })),
    errors: documents
      .filter(({ text }) => text === '')
      .map(({ id }) => ({
        id,
        error: {
          code: 'InvalidArgument',
          message: 'Invalid document in request.',
          innererror: { code: 'InvalidDocument', message: 'Document text is empty.' },
        },
      })),
    modelVersion,
  };
}

function moodOf(text: string) {
  const [isGood, isBad] = [good.test(text), bad.test(text)];
  const sentiment = isGood === isBad ? (isGood ? 'mixed' : 'neutral') : isGood ? 'positive' : 'negative';
  const share = (mood: string) => (sentiment === mood ? 0.98 : 0.01);
  return {
    sentiment,
    confidenceScores:
      sentiment === 'mixed'
        ? { positive: 0.5, neutral: 0, negative: 0.5 }
        : { positive: share('positive'), neutral: share('neutral'), negative: share('negative') },
  };
}

/** Addresses, numbers, and names: words with a capital that do not begin a sentence. */
function entitiesOf(text: string) {
  const found = [
    ...text.matchAll(/[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\d+(?:\.\d+)?|(?<=[\p{L}\d,] )\p{Lu}\p{L}+/gu),
  ];
  return found.map(({ 0: part, index }) => ({
    text: part,
    category: part.includes('@') ? 'Email' : /^\d/.test(part) ? 'Quantity' : 'Person',
    ...(/^\d/.test(part) && !part.includes('@') ? { subcategory: 'Number' } : {}),
    offset: index,
    length: part.length,
    confidenceScore: 1,
  }));
}

function noDocuments(): Reply {
  return json(400, {
    error: {
      code: 'InvalidRequest',
      message: 'Invalid document in request.',
      innererror: { code: 'MissingInputRecords', message: 'Missing input records.' },
    },
  });
}
