// The control of the embedded Azure, from outside: faults, accounts.
import { readFileSync } from 'node:fs';
import { request } from 'node:https';

export class AzureControl {
  constructor(
    private readonly origin: string,
    private readonly caFile: string,
  ) {}

  async addFault(fault: object): Promise<string> {
    const { status, text } = await this.call('POST', '/_local/faults', fault);
    if (status !== 201) throw new Error(`the fault was refused: ${text}`);
    return String((JSON.parse(text) as { id: unknown }).id);
  }

  async removeFaults(): Promise<void> {
    await this.call('DELETE', '/_local/faults');
  }

  call(
    method: string,
    path: string,
    body?: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        this.origin + path,
        {
          method,
          ca: readFileSync(this.caFile),
          headers: { 'content-type': 'application/json', ...headers },
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => (text += chunk));
          response.on('end', () => {
            resolve({ status: response.statusCode ?? 0, text });
          });
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}
