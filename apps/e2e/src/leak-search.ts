// A process of its own that knows every key ever issued and looks for them where none may be. The values stay in
// its memory: it is told where to look, and answers what it found under which name. It asks Azure by plain HTTPS, so
// that it does not depend on what it watches over; it needs the certificate of the embedded Azure from its first
// moment on.
import { readFileSync } from 'node:fs';

export type LeakQuestion =
  /** Both keys of each account as Resource Manager lists them, and what the vault holds in all versions. */
  | { readonly ask: 'remember'; readonly accounts: readonly string[] }
  /** Something else that may be nowhere; or, under the name `decoy`, what is to be found where it was planted. */
  | { readonly ask: 'remember-value'; readonly value: string; readonly name: string }
  | { readonly ask: 'search'; readonly channels: Readonly<Record<string, Channel>> };

export interface Channel {
  readonly files?: readonly string[];
  readonly texts?: readonly string[];
}

export interface LeakAnswer {
  readonly keys: number;
  /** The channels with something in them that was searched, in bytes. */
  readonly searched: Readonly<Record<string, number>>;
  /** `channel: account/slot as base64`; `decoy` in place of the account for what was planted. */
  readonly found: readonly string[];
}

const values = new Map<string, string>();
const { env } = process;

process.on('message', (question: LeakQuestion) => {
  void answer(question).then(
    (reply) => process.send?.(reply),
    (error: unknown) => {
      console.error(error instanceof Error ? error.message : 'the search for leaks failed');
      process.exit(1);
    },
  );
});
process.on('disconnect', () => {
  process.exit(0);
});

async function answer(question: LeakQuestion): Promise<LeakAnswer> {
  if (question.ask === 'remember') await remember(question.accounts);
  if (question.ask === 'remember-value') values.set(question.value, question.name);
  const searched: Record<string, number> = {};
  const found: string[] = [];
  if (question.ask === 'search') {
    for (const [name, channel] of Object.entries(question.channels)) {
      const { bytes, hits } = search(channel);
      searched[name] = bytes;
      found.push(...hits.map((hit) => `${name}: ${hit}`));
    }
  }
  return { keys: [...values.values()].filter((name) => name.includes('/')).length, searched, found };
}

function search({ files = [], texts = [] }: Channel): { bytes: number; hits: readonly string[] } {
  const hits = new Set<string>();
  let bytes = 0;
  for (const haystack of [...files.flatMap(contentOf), ...texts.map((text) => Buffer.from(text))]) {
    bytes += haystack.length;
    for (const [value, name] of values) {
      for (const [needle, spelling] of spellings(value))
        if (haystack.includes(needle)) hits.add(`${name} ${spelling}`);
    }
  }
  return { bytes, hits: [...hits] };
}

/** A database may remove a file between its being listed and its being read. */
function contentOf(file: string): readonly Buffer[] {
  try {
    return [readFileSync(file)];
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/** A value inside a longer text that was encoded as a whole starts at any of three places of base64. */
function spellings(value: string): ReadonlyMap<string, string> {
  const bytes = Buffer.from(value);
  // By needle: a key of letters and digits is URL-encoded as it is.
  return new Map(
    [
      ['URL-encoded', encodeURIComponent(value)],
      ['in upper case', value.toUpperCase()],
      ['as it is', value],
      ['as hex', bytes.toString('hex')],
      ...[0, 1, 2].map((shift) => ['as base64', base64Core(bytes, shift)] as const),
    ].map(([spelling = '', needle = '']) => [needle, spelling]),
  );
}

/** The characters of base64 that depend on the value alone, whatever stands before and after it. */
function base64Core(bytes: Buffer, shift: number): string {
  const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
  return text.slice(shift === 0 ? 0 : shift + 1, Math.floor(((shift + bytes.length) * 8) / 6));
}

async function remember(accounts: readonly string[]): Promise<void> {
  const arm = await token('https://management.azure.com/.default');
  for (const account of accounts) {
    const url = `${env['TWINKEY_RESOURCE_MANAGER_ENDPOINT'] ?? ''}${account}/listKeys?api-version=2024-10-01`;
    const { key1, key2 } = (await call(url, arm, 'POST')) as { key1: string; key2: string };
    const name = account.split('/').at(-1) ?? '';
    note(key1, `${name}/key1`);
    note(key2, `${name}/key2`);
  }
  await rememberVault();
}

/** Versions that were disabled meanwhile cannot be read; their values were listed before. */
async function rememberVault(): Promise<void> {
  const vault = await token('https://vault.azure.net/.default');
  const origin = env['TWINKEY_KEY_VAULT_URL']?.replace(/\/$/, '') ?? '';
  for (const { id: secret } of await listed(`${origin}/secrets?api-version=7.5`, vault)) {
    for (const { id, attributes } of await listed(`${secret}/versions?api-version=7.5`, vault)) {
      if (!attributes.enabled) continue;
      const { value } = (await call(`${id}?api-version=7.5`, vault)) as { value: string };
      note(value, `vault/${secret.split('/').at(-1) ?? ''}`);
    }
  }
}

function note(value: string, name: string): void {
  if (value.length < 20) throw new Error(`${name} is too short to be a key`);
  if (!values.has(value)) values.set(value, name);
}

interface Listed {
  readonly id: string;
  readonly attributes: { readonly enabled: boolean };
}

async function listed(url: string, bearer: string): Promise<readonly Listed[]> {
  const items: Listed[] = [];
  for (let next: string | null | undefined = url; next;) {
    const page = (await call(next, bearer)) as { value: readonly Listed[]; nextLink?: string | null };
    items.push(...page.value);
    next = page.nextLink;
  }
  return items;
}

async function token(scope: string): Promise<string> {
  const authority = env['AZURE_AUTHORITY_HOST']?.replace(/\/$/, '') ?? '';
  const response = await fetch(`${authority}/${env['AZURE_TENANT_ID'] ?? ''}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: env['AZURE_CLIENT_ID'] ?? '',
      client_secret: env['AZURE_CLIENT_SECRET'] ?? '',
      scope,
    }),
  });
  if (!response.ok) throw new Error(`no token for ${scope}: ${response.status}`);
  return ((await response.json()) as { access_token: string }).access_token;
}

async function call(url: string, bearer: string, method = 'GET'): Promise<unknown> {
  const response = await fetch(url, { method, headers: { authorization: `Bearer ${bearer}` } });
  if (!response.ok) throw new Error(`${method} ${new URL(url).pathname}: ${response.status}`);
  return response.json();
}
