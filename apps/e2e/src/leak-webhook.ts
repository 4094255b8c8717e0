// A consumer that is told by webhook, as somebody would write it who has no library of ours: it takes what comes, and its
// answer acknowledges. What it is sent is one more place where a key would be if it leaked.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

const CONSUMER = 'partner';

export class WebhookEnd {
  /** Each request from its first line to its last byte. */
  readonly requests: string[] = [];
  /** What both sides share; it signs, and is sent nowhere. */
  readonly secret = `whsec_${randomBytes(32).toString('base64')}`;
  readonly #folder = mkdtempSync(join(tmpdir(), 'twinkey-webhook-'));

  private constructor(private readonly server: Server) {
    writeFileSync(join(this.#folder, CONSUMER), this.secret, { mode: 0o600 });
  }

  static async start(): Promise<WebhookEnd> {
    const server = createServer();
    const end = new WebhookEnd(server);
    server.on('request', (request, response) => {
      void text(request).then((body) => {
        const { method = '', url = '', rawHeaders } = request;
        end.requests.push([`${method} ${url}`, ...rawHeaders, body].join('\n'));
        const { data } = JSON.parse(body) as { data?: { generation?: number } };
        const answer = data?.generation === undefined ? {} : { acknowledged: data.generation };
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return end;
  }

  /** For the notifier. */
  get environment(): Readonly<Record<string, string>> {
    return { TWINKEY_WEBHOOK_ALLOW: 'http://127.0.0.1:*', TWINKEY_WEBHOOK_SECRETS_DIR: this.#folder };
  }

  /** A person declares it at the console as a consumer of this account. */
  async declare(console: string, account: string, path = '/keys'): Promise<void> {
    const url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${path}`;
    const channel = { kind: 'webhook', url, signature: 'hmac', secret: CONSUMER };
    const answer = await fetch(`${console}/v1/consumers/${CONSUMER}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ owner: 'the partners', accounts: [account], channel }),
    });
    if (!answer.ok) throw new Error(`the declaration was answered ${answer.status}: ${await answer.text()}`);
  }

  /** A person has the notifier send it something; true when that was possible. */
  async test(notifier: string): Promise<boolean> {
    const answer = await fetch(`${notifier}/v1/webhooks/${CONSUMER}/test`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    return answer.ok;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
