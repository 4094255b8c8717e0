import { createHmac } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import type { Clock } from '../host/plugin.js';
import type { Account } from '../resource-manager/state.js';
import type { Slot } from '../resource-manager/keys.js';

const lifetimeSeconds = 600; // documented: a token is valid for 10 minutes
const issuer = 'urn:ms.cognitiveservices';

/** The tokens of `issueToken`: ten minutes of access bought with a key. */
export class IssuedTokens {
  readonly #secret: Buffer;

  constructor(
    secret: Buffer,
    private readonly clock: Clock,
    private readonly subscriptionId: string,
  ) {
    this.#secret = secret;
  }

  async issue(account: Account, slot: Slot, origin: string, azureResourceId: string): Promise<string> {
    const claims = {
      region: account.location,
      'subscription-id': this.subscriptionId.replaceAll('-', ''),
      'product-id': `${account.kind}.${account.sku}`,
      'cognitive-services-endpoint': `${origin}/${account.name}/`,
      'azure-resource-id': azureResourceId,
      scope: 'speechservicesallowed translatorallowed',
      aud: 'urn:ms.microsofttranslator',
      exp: Math.floor(this.clock() / 1000) + lifetimeSeconds,
      iss: issuer,
    };
    // The key id tells which key bought the token, without telling the key.
    const header = { alg: 'HS256', typ: 'JWT', kid: this.#mark(account.keys[slot]) };
    return await new SignJWT(claims).setProtectedHeader(header).sign(this.#secret);
  }

  /** The slot whose present key bought the token, `former` for a key that is gone, `undefined` when it is none of ours. */
  async judge(account: Account, token: string): Promise<Slot | 'former' | undefined> {
    try {
      const { payload, protectedHeader } = await jwtVerify(token, this.#secret, {
        algorithms: ['HS256'],
        issuer,
        currentDate: new Date(this.clock()),
      });
      const name = String(payload['cognitive-services-endpoint']).split('/').at(-2);
      if (name !== account.name) return undefined;
      const slot = (['key1', 'key2'] as const).find(
        (one) => this.#mark(account.keys[one]) === protectedHeader.kid,
      );
      return slot ?? 'former';
    } catch {
      return undefined; // whatever is wrong with it, the caller is refused
    }
  }

  #mark(key: string): string {
    return createHmac('sha256', this.#secret).update(key).digest('hex').slice(0, 12);
  }
}
