import { json, type Incoming, type Reply } from '../../host/plugin.js';
import type { Account } from '../../resource-manager/state.js';
import { pathOf } from '../protocol.js';
import { answerOpenAi } from './openai.js';
import { analyzeText, answerTextAnalytics } from './text-analytics.js';
import { answerTranslator } from './translator.js';

/**
 * Small answers in the shapes that the real clients check. They are about authentication, not intelligence: made of
 * the question alone, the same every time. Paths that have no shape here get a note of what was asked.
 */
export function answerCall(account: Account, request: Incoming): Reply {
  const path = pathOf(request);
  const textAnalytics = /^text\/analytics\/v3\.[01]\/(.+)$/.exec(path)?.[1];
  const translator = /^(?:translator\/text\/v3\.0\/)?(translate|detect|languages)$/.exec(path)?.[1];
  const shaped =
    (textAnalytics === undefined ? undefined : answerTextAnalytics(textAnalytics, request.body)) ??
    (path === 'language/:analyze-text' ? analyzeText(request.body) : undefined) ??
    (translator === undefined ? undefined : answerTranslator(translator, request)) ??
    (path.startsWith('openai/') ? answerOpenAi(request) : undefined);
  return (
    shaped ??
    json(200, {
      account: account.name,
      kind: account.kind,
      method: request.method,
      path: `/${request.segments.slice(1).join('/')}`,
      receivedBytes: request.body.length,
    })
  );
}
