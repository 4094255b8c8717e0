import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { HttpProblem, problemOf } from '../problem.js';
import type { RequestLimits } from './limits.js';

/** Answers what never became a request: it came too slowly, its headers are too long, or it is no HTTP. */
export function refuseConnection(limits: RequestLimits): (error: Error, socket: Socket) => void {
  return (error, socket) => {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ECONNRESET' || socket.destroyed) return;
    if (socket.writable) {
      const { body } = problemOf(meaningOf(code, limits));
      const text = JSON.stringify(body);
      socket.write(
        [
          `HTTP/1.1 ${body.status} ${STATUS_CODES[body.status] ?? ''}`,
          'content-type: application/problem+json',
          `content-length: ${Buffer.byteLength(text)}`,
          'connection: close',
          '',
          text,
        ].join('\r\n'),
      );
    }
    socket.destroy(error);
  };
}

function meaningOf(code: string | undefined, limits: RequestLimits): HttpProblem {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new HttpProblem(
        408,
        'request-timeout',
        `The headers must be there within ${limits.headersWithinMs / 1_000} s and the body within ${limits.requestWithinMs / 1_000} s. Send the request without pauses.`,
      );
    case 'HPE_HEADER_OVERFLOW':
      return new HttpProblem(
        431,
        'request-header-fields-too-large',
        `Path and headers have more than ${limits.headerBytes} bytes. Send fewer or shorter headers.`,
      );
    default:
      return new HttpProblem(400, 'bad-request', 'This is no HTTP request. Speak HTTP/1.1 to this port.');
  }
}
