// What people do by hand behind the back of twinkey.
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { entraToken } from './entra-token.js';

/** Somebody with all rights who uses neither twinkey nor its libraries: the portal, a script. */
export class Stranger {
  constructor(
    private readonly azure: string,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  async writeSecret(name: string, value: string): Promise<void> {
    const token = await this.#token('https://vault.azure.net/.default');
    const vault = this.env['TWINKEY_KEY_VAULT_URL'] ?? '';
    await this.#send('PUT', `${vault}/secrets/${name}?api-version=7.5`, JSON.stringify({ value }), {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
    });
  }

  async regenerate(id: string, keyName: string): Promise<void> {
    await this.#manage('POST', `${id}/regenerateKey`, { keyName });
  }

  async deleteAccount(id: string): Promise<void> {
    await this.#manage('DELETE', id);
  }

  /** From now on the account takes Entra tokens only. */
  async disableKeys(id: string): Promise<void> {
    await this.#manage('PATCH', id, { properties: { disableLocalAuth: true } });
  }

  async #manage(method: string, resource: string, body?: object): Promise<void> {
    const token = await this.#token('https://management.azure.com/.default');
    const arm = this.env['TWINKEY_RESOURCE_MANAGER_ENDPOINT'] ?? this.azure;
    const path = `${arm.replace(/\/$/, '')}${resource}?api-version=2023-05-01`;
    await this.#send(method, path, body === undefined ? '' : JSON.stringify(body), {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
    });
  }

  #token(scope: string): Promise<string> {
    const { AZURE_CLIENT_ID: clientId = '', AZURE_CLIENT_SECRET: clientSecret = '' } = this.env;
    return entraToken(this.env, { clientId, clientSecret }, scope);
  }

  #send(
    method: string,
    to: string,
    body: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<string> {
    const ca = readFileSync(this.env['NODE_EXTRA_CA_CERTS'] ?? '');
    return new Promise((resolve, reject) => {
      const length = { 'content-length': String(Buffer.byteLength(body)) };
      const outgoing = request(to, { method, ca, headers: { ...headers, ...length } }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => {
          if ((response.statusCode ?? 500) < 300) resolve(text);
          else
            reject(new Error(`${method} ${new URL(to).pathname} was answered ${response.statusCode ?? 0}`));
        });
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }
}
