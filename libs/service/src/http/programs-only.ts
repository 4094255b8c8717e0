// Where nobody is asked for a token, whoever reaches the port may do everything, and the port is on loopback. A web
// page that somebody looks at on the same machine reaches it, too: by a form or a fetch that needs no preflight, and,
// when its own name is made to resolve to 127.0.0.1, with answers that it may read.
import type { FastifyRequest, onRequestHookHandler } from 'fastify';
import { HttpProblem } from '../problem.js';
import { sendProblem } from './send-problem.js';

const THIS_MACHINE = /^(127(\.\d{1,3}){3}|\[::1\]|([\w-]+\.)*localhost)(:\d{1,5})?$/i;

/** Whether a page in a browser asks, or somebody who calls this machine by a name that is not its own. */
export function isFromAPage(headers: FastifyRequest['headers']): boolean {
  const site = headers['sec-fetch-site'];
  const isPage = headers.origin !== undefined || (site !== undefined && site !== 'none');
  return isPage || !THIS_MACHINE.test(headers.host ?? '');
}

/** Refuses what pages ask; health is told to everybody. */
export const refusePages: onRequestHookHandler = (request, reply, done) => {
  if (request.url.startsWith('/health/') || !isFromAPage(request.headers)) {
    done();
    return;
  }
  sendProblem(
    reply,
    new HttpProblem(
      403,
      'not-from-here',
      'Without tokens only programs on this machine are answered, under 127.0.0.1 or localhost, and no pages in browsers. Set TWINKEY_API_AUDIENCE, then a token counts and not the place.',
    ),
  );
};
