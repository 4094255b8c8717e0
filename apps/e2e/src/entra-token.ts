// A token of the embedded Entra for an application, as a program outside would ask for it.
import { readFileSync } from 'node:fs';
import { request } from 'node:https';

export interface ApplicationVariables {
  readonly clientId: string;
  readonly clientSecret: string;
}

export function entraToken(
  env: Readonly<Record<string, string>>,
  { clientId, clientSecret }: ApplicationVariables,
  scope: string,
): Promise<string> {
  const authority = env['AZURE_AUTHORITY_HOST']?.replace(/\/$/, '') ?? '';
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret,
    scope,
  });
  return new Promise((resolve, reject) => {
    const asked = request(
      `${authority}/${env['AZURE_TENANT_ID'] ?? ''}/oauth2/v2.0/token`,
      {
        method: 'POST',
        ca: readFileSync(env['NODE_EXTRA_CA_CERTS'] ?? ''),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('end', () => {
          if (response.statusCode === 200)
            resolve((JSON.parse(text) as { access_token: string }).access_token);
          else reject(new Error(`no token for ${scope}: ${response.statusCode ?? 0}`));
        });
      },
    );
    asked.on('error', reject);
    asked.end(form.toString());
  });
}
