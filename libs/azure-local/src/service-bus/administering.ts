import type { RequestListener, ServerResponse } from 'node:http';
import type { Refused } from './errors.js';
import type { Answer, AttemptHost } from './protocol/attempt.js';

/** Lets faults meet the requests of the HTTP API. The entity is the path of the URL. */
export function withFaults(listener: RequestListener, host: AttemptHost): RequestListener {
  return (request, response) => {
    const path = decodedPath(request.url ?? '/');
    host.attempt({
      operation: 'administer',
      target: path,
      run: (answer) => {
        endThrough(response, answer);
        listener(request, response);
      },
      refuse: (error) => {
        refuse(response, error);
      },
      detach: () => request.socket.destroy(),
      cut: () => request.socket.destroy(),
    });
  };
}

/** Answers with a refusal in the API's own shape; a client that is to come back later is told so. */
export function refuse(response: ServerResponse, { status, description }: Refused): void {
  response.writeHead(status, { 'content-type': 'application/xml; charset=utf-8' });
  response.end(`<Error><Code>${status}</Code><Detail>${description}.</Detail></Error>`);
}

/** Whatever ends the response does so by way of `answer`; nothing of it is sent before. */
function endThrough(response: ServerResponse, answer: Answer): void {
  const end = response.end.bind(response) as (body?: unknown) => ServerResponse;
  response.end = ((body?: unknown) => {
    answer(() => {
      end(body);
    });
    return response;
  }) as ServerResponse['end'];
}

function decodedPath(url: string): string {
  const path = url.replace(/\?.*$/, '');
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
