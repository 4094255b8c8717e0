import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { PipelinePolicy, PipelineRequest, PipelineResponse } from '@azure/core-rest-pipeline';

/** One request with its answer, as a line of the record; no secret is in it. */
export interface Exchange {
  readonly service: RecordedService;
  readonly method: string;
  readonly url: string;
  readonly requestHeaders: Readonly<Record<string, string>>;
  readonly requestBody: unknown;
  readonly status: number;
  readonly responseHeaders: Readonly<Record<string, string>>;
  readonly responseBody: unknown;
}

export type RecordedService = 'key-vault' | 'resource-manager';

/** The folder that the exchanges are written to, if anybody wants them. */
export const trafficFolder = (): string | undefined => process.env['CONTRACT_TRAFFIC'];

/**
 * The published descriptions are of these versions. The SDKs speak their own, newer ones unless their traffic is
 * recorded in order to be compared.
 */
export const describedVersions = { 'key-vault': '7.2', 'resource-manager': '2022-10-01' } as const;

const withheld = new Set(['authorization', 'cookie', 'set-cookie', 'www-authenticate']);
const secret = new Set(['value', 'key1', 'key2']);
const masked = 'masked';

/** Keeps what a client sends and gets, for the check against the published descriptions. */
export function recorder(service: RecordedService, folder: string): PipelinePolicy {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${service}.jsonl`);
  return {
    name: 'contractRecorder',
    sendRequest: async (request, next) => {
      const response = await next(request);
      appendFileSync(file, `${JSON.stringify(exchange(service, request, response))}\n`, { mode: 0o600 });
      return response;
    },
  };
}

function exchange(service: RecordedService, request: PipelineRequest, response: PipelineResponse): Exchange {
  return {
    service,
    method: request.method,
    url: request.url,
    requestHeaders: shown(request.headers.toJSON()),
    requestBody: mask(parsed(request.body)),
    status: response.status,
    responseHeaders: shown(response.headers.toJSON()),
    responseBody: mask(parsed(response.bodyAsText)),
  };
}

const shown = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !withheld.has(name.toLowerCase())));

function parsed(body: unknown): unknown {
  if (typeof body !== 'string' || body === '') return undefined;
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

/** Only texts are replaced: a list called `value` is a page, and a wrong type has to stay visible. */
function mask(body: unknown): unknown {
  if (Array.isArray(body)) return body.map(mask);
  if (typeof body !== 'object' || body === null) return body;
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [
      name,
      secret.has(name) && typeof value === 'string' ? masked : mask(value),
    ]),
  );
}
