import { describe, expect, it } from '@jest/globals';
import { dataNeed } from './data-actions.js';

describe('the data action of a call', () => {
  it.each([
    [
      'AIServices',
      'POST',
      'openai/deployments/my-gpt/chat/completions',
      'OpenAI/deployments/chat/completions/action',
    ],
    ['OpenAI', 'POST', 'openai/v1/embeddings', 'OpenAI/deployments/embeddings/action'],
    ['OpenAI', 'POST', 'openai/v1/responses', 'OpenAI/responses/write'],
    ['OpenAI', 'GET', 'openai/models', 'OpenAI/models/read'],
    ['TextAnalytics', 'POST', 'text/analytics/v3.1/languages', 'TextAnalytics/languages/action'],
    ['CognitiveServices', 'POST', 'text/analytics/v3.1/entities/linking', 'TextAnalytics/entities/action'],
    ['TextAnalytics', 'POST', 'language/:analyze-text', 'Language/analyze-text/action'],
    ['CognitiveServices', 'POST', 'translator/text/v3.0/translate', 'TextTranslation/translate/action'],
    ['TextTranslation', 'POST', 'detect', 'TextTranslation/detect/action'],
    ['Face', 'GET', 'face/v1.0/facelists', 'Face/facelists/read'],
    ['CognitiveServices', 'GET', 'contentsafety/text/blocklists', 'ContentSafety/blocklists/read'],
    ['Face', 'DELETE', 'anything/below', 'Face/anything/below/delete'],
  ])('of %s, %s %s, follows the path', (kind, method, path, action) => {
    expect(dataNeed(kind, method, path).action).toBe(`Microsoft.CognitiveServices/accounts/${action}`);
  });
});
