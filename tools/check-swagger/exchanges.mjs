// What the contract suites recorded, in the shape of the validator.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const hosts = {
  'key-vault': 'https://contract.vault.azure.net',
  'resource-manager': 'https://management.azure.com',
};

/** The recorded exchanges of a service that its description speaks of. */
export function recorded(folder, service) {
  const file = join(folder, `${service}.jsonl`);
  if (!existsSync(file)) throw new Error(`Nothing of ${service} was recorded.`);
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line)).filter(isDescribed);
}

/** Descriptions know neither the challenge that opens a conversation nor requests that are wrong on purpose. */
function isDescribed({ status, method, url }) {
  const { pathname, searchParams } = new URL(url);
  const [, , name = ''] = pathname.split('/');
  if (status === 401 || status === 429) return false;
  if (pathname.startsWith('/secrets/') && !/^[\w-]*$/.test(name)) return false;
  if (pathname.startsWith('/secrets/') && method === 'PUT' && name.includes('_')) return false;
  return Number(searchParams.get('maxresults') ?? 1) <= 25;
}

/** One exchange as the validator wants it, at the host that the description is about. */
export function pair({
  service,
  method,
  url,
  requestHeaders,
  requestBody,
  status,
  responseHeaders,
  responseBody,
}) {
  const asked = new URL(url);
  const path = withVersion(asked.pathname, responseBody);
  return {
    liveRequest: {
      method,
      url: `${hosts[service]}${path}${asked.search}`,
      headers: requestHeaders,
      query: Object.fromEntries(asked.searchParams),
      ...(requestBody === undefined ? {} : { body: requestBody }),
    },
    liveResponse: {
      statusCode: String(status),
      headers: responseHeaders,
      ...(responseBody === undefined ? {} : { body: responseBody }),
    },
  };
}

/** `GET /secrets/name/` means the latest version; the description knows versions that are named only. */
function withVersion(path, body) {
  if (!/^\/secrets\/[^/]+\/$/.test(path)) return path;
  const [, version = '0'.repeat(32)] = /\/secrets\/[^/]+\/([^/]+)$/.exec(body?.id ?? '') ?? [];
  return `${path}${version}`;
}

/** Exchanges that break the description, each in another way; a check that does not report them checks nothing. */
export function planted({ listKeys, regenerateKey, getSecret, setSecret }) {
  const copy = (exchange, change) => {
    const made = structuredClone(exchange);
    change(made);
    return made;
  };
  return [
    ['a key that is a number', copy(listKeys, (it) => (it.liveResponse.body.key1 = 17))],
    ['a slot that there is not', copy(regenerateKey, (it) => (it.liveRequest.body.keyName = 'Key3'))],
    [
      'a secret whose creation is a text',
      copy(getSecret, (it) => (it.liveResponse.body.attributes.created = 'now')),
    ],
    ['a secret that is set without a value', copy(setSecret, (it) => delete it.liveRequest.body.value)],
  ];
}
