import { isObject, json, jsonObject, jsonValue, type Incoming, type Reply } from '../../host/plugin.js';
import { detectLanguage } from './language.js';
import { textOf } from './text.js';

const languages = {
  de: { name: 'German', nativeName: 'Deutsch', dir: 'ltr' },
  en: { name: 'English', nativeName: 'English', dir: 'ltr' },
  es: { name: 'Spanish', nativeName: 'Español', dir: 'ltr' },
  fr: { name: 'French', nativeName: 'Français', dir: 'ltr' },
  he: { name: 'Hebrew', nativeName: 'עברית', dir: 'rtl' },
  nl: { name: 'Dutch', nativeName: 'Nederlands', dir: 'ltr' },
};

/** Translations are the text with the language before it: plainly no translation. */
export function answerTranslator(what: string, request: Incoming): Reply {
  switch (what) {
    case 'languages':
      return json(200, languagesFor(request.query.get('scope')));
    case 'detect':
      return detect(request.body);
    default:
      return translate(request);
  }
}

function languagesFor(scope: string | null) {
  const all = { translation: languages, transliteration: {}, dictionary: {} };
  const wanted = scope?.split(',').map((one) => one.trim());
  return Object.fromEntries(Object.entries(all).filter(([name]) => wanted?.includes(name) ?? true));
}

function detect(body: Buffer): Reply {
  const texts = textsOf(body);
  if (texts === undefined) return inputInvalid();
  return json(
    200,
    texts.map((text) => ({
      language: detectLanguage(text).code,
      score: 1,
      isTranslationSupported: true,
      isTransliterationSupported: false,
    })),
  );
}

/** Version 3 asks for the targets in the query and answers a list; the versions since have them in the body. */
function translate({ body, query }: Incoming): Reply {
  const inputs = jsonObject(body)?.['inputs'];
  if (Array.isArray(inputs)) return json(200, { value: inputs.filter(isObject).map(translateInput) });
  const texts = textsOf(body);
  if (texts === undefined) return inputInvalid();
  const targets = query.getAll('to').flatMap((to) => to.split(','));
  if (targets.length === 0) return refused(400036, 'The target language is not valid.');
  const from = query.get('from');
  return json(
    200,
    texts.map((text) => ({
      ...(from === null ? { detectedLanguage: detected(text) } : {}),
      translations: targets.map((to) => ({ text: `[${to}] ${text}`, to })),
    })),
  );
}

function translateInput(input: Readonly<Record<string, unknown>>) {
  const text = textOf(input['text']);
  const targets: readonly unknown[] = Array.isArray(input['targets']) ? input['targets'] : [];
  return {
    detectedLanguage: detected(text),
    translations: targets.filter(isObject).map((target) => {
      const language = textOf(target['language']);
      return { language, text: `[${language}] ${text}` };
    }),
  };
}

function detected(text: string) {
  return { language: detectLanguage(text).code, score: 1 };
}

/** `[{ "Text": … }]`, the field in either spelling. */
function textsOf(body: Buffer): readonly string[] | undefined {
  const list = jsonValue(body);
  if (!Array.isArray(list) || !list.every(isObject)) return undefined;
  return list.map((one) => textOf(one['Text'] ?? one['text']));
}

function inputInvalid(): Reply {
  return refused(400074, 'The body of the request is not valid JSON.');
}

/** The translator's codes are numbers: the status, then which of its reasons. */
function refused(code: number, message: string): Reply {
  return json(400, { error: { code, message } });
}
