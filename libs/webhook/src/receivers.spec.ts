// What docs/how-to/receive-webhooks.md gives to receivers is run as it stands there.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { generateKeyPair, generateSharedSecret } from './generate.js';
import { readSigningSecret } from './secret.js';
import { sign } from './sign.js';

const page = readFileSync(new URL('../../../docs/how-to/receive-webhooks.md', import.meta.url), 'utf8');
const codeIn = (language: string) => page.split(`\n\`\`\`${language}\n`)[1]?.split('\n```')[0] ?? '';

const shared = generateSharedSecret();
const other = generateSharedSecret();
const pair = generateKeyPair();
const body = '{"type":"com.twinkey.key.changed.v1","of":"Zürich"}';
const now = new Date();
const at = (seconds: number) => new Date(now.getTime() + seconds * 1000);
const signed = (when: Date, ...secrets: string[]) => ({
  ...sign({ id: 'kc-1', body }, when, secrets.map(readSigningSecret)),
});

interface Case {
  readonly what: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly key: string;
  readonly verdict: boolean;
}

const casesOf = (secret: string, key: string): Case[] => [
  { what: 'a message', headers: signed(now, secret), body, key, verdict: true },
  { what: 'one with two signatures', headers: signed(now, other, secret), body, key, verdict: true },
  { what: 'a stranger’s', headers: signed(now, other), body, key, verdict: false },
  { what: 'another body', headers: signed(now, secret), body: `${body} `, key, verdict: false },
  { what: 'an old one', headers: signed(at(-330), secret), body, key, verdict: false },
  { what: 'one of tomorrow', headers: signed(at(86_400), secret), body, key, verdict: false },
  {
    what: 'another time',
    headers: { ...signed(now, secret), 'webhook-timestamp': signed(at(5), secret)['webhook-timestamp'] },
    body,
    key,
    verdict: false,
  },
  {
    what: 'no signature',
    headers: { ...signed(now, secret), 'webhook-signature': '' },
    body,
    key,
    verdict: false,
  },
  {
    what: 'nonsense',
    headers: { 'webhook-signature': 'v1,ä v1a v1,', 'webhook-timestamp': 'x' },
    body,
    key,
    verdict: false,
  },
];

const ofShared = casesOf(shared, shared);
const ofPair = casesOf(pair.secret, pair.publicKey);
const verdicts = (cases: readonly Case[]) => cases.map(({ what, verdict }) => ({ what, verdict }));

/** Gives the cases to a program on its standard input, and reads its verdicts. */
function judgedBy(command: string, args: readonly string[], cases: readonly Case[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.on('error', reject);
    child.on('close', () => {
      resolve(cases.map(({ what }, index) => ({ what, verdict: (JSON.parse(said) as boolean[])[index] })));
    });
    child.stdin.end(JSON.stringify(cases));
  });
}

describe('What the page gives to receivers', () => {
  it.each(['js', 'python', 'csharp'])('has no more than fifteen lines in %s', (language) => {
    const lines = codeIn(language)
      .split('\n')
      .filter((line) => line.trim() !== '');
    expect(lines.length).toBeGreaterThan(5);
    expect(lines.length).toBeLessThanOrEqual(15);
  });

  it('tells messages from others in Node, with both kinds of signatures', async () => {
    const judge = `${codeIn('js')}
      let text = '';
      for await (const chunk of process.stdin) text += chunk;
      const judged = JSON.parse(text).map(({ headers, body, key }) => isFromTwinkey(headers, Buffer.from(body), key));
      console.log(JSON.stringify(judged));`;
    const cases = [...ofShared, ...ofPair];
    const args = ['--input-type=module', '-e', judge];
    expect(await judgedBy(process.execPath, args, cases)).toEqual(verdicts(cases));
  });

  const hasPython = spawnSync('python3', ['-c', 'import hmac']).status === 0;
  const python = hasPython ? it : it.skip;
  python(`does so in Python${hasPython ? '' : ' (skipped: there is no python3 here)'}`, async () => {
    const judge = `${codeIn('python')}
import json, sys
cases = json.load(sys.stdin)
print(json.dumps([is_from_twinkey(c["headers"], c["body"].encode(), c["key"]) for c in cases]))`;
    expect(await judgedBy('python3', ['-c', judge], ofShared)).toEqual(verdicts(ofShared));
  });
});
