import type { onRequestHookHandler } from 'fastify';
import { HttpProblem } from '../problem.js';
import type { RequestLimits } from './limits.js';
import { sendProblem } from './send-problem.js';

/** Refuses a path and query that no question of the API needs. */
export function refuseLongUrls({ urlCharacters }: RequestLimits): onRequestHookHandler {
  return (request, reply, done) => {
    if (request.url.length <= urlCharacters) {
      done();
      return;
    }
    const detail = `Path and query have more than ${urlCharacters} characters. Ask with shorter names and reasons.`;
    sendProblem(reply, new HttpProblem(414, 'uri-too-long', detail));
  };
}
