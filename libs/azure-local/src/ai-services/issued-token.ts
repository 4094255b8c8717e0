import { createHmac } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import type { Clock } from '../host/plugin.js';
import type { Account } from '../resource-manager/state.js';
import type { Slot } from '../resource-manager/keys.js';

const lifetimeSeconds = 600; // documented: a token is valid for 10 minutes
const issuer = 'urn:ms.cognitiveservices';

/** What a token of ours is worth to an account. `slot`: the key that bought it; `former`: that key is gone. */
export interface Bought {
  readonly slot: Slot | 'former' | 'unknown';
  readonly state: 'valid' | 'expired' | 'of-another-account';
}

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
      ...(account.kind === 'SpeechServices'
        ? { scope: 'speechservices', aud: `urn:ms.speechservices.${account.location}` }
        : { scope: 'https://api.microsofttranslator.com/', aud: 'urn:ms.microsofttranslator' }),
      exp: Math.floor(this.clock() / 1000) + lifetimeSeconds,
      iss: issuer,
    };
    // The key id tells which key bought the token, without telling the key.
    const header = { alg: 'HS256', typ: 'JWT', kid: this.#mark(account.keys[slot]) };
    return await new SignJWT(claims).setProtectedHeader(header).sign(this.#secret);
  }

  /** `undefined` when it is none of ours. */
  async judge(account: Account, token: string): Promise<Bought | undefined> {
    try {
      const { payload, protectedHeader } = await jwtVerify(token, this.#secret, {
        algorithms: ['HS256'],
        issuer,
        currentDate: new Date(0), // an old token is still known as one of ours
      });
      const name = String(payload['azure-resource-id']).split('/').at(-1);
      if (name?.toLowerCase() !== account.name.toLowerCase())
        return { slot: 'unknown', state: 'of-another-account' };
      const slot = (['key1', 'key2'] as const).find(
        (one) => this.#mark(account.keys[one]) === protectedHeader.kid,
      );
      const expired = (payload.exp ?? 0) * 1000 <= this.clock();
      return { slot: slot ?? 'former', state: expired ? 'expired' : 'valid' };
    } catch {
      return undefined; // whatever is wrong with it, the caller is refused
    }
  }

  #mark(key: string): string {
    return createHmac('sha256', this.#secret).update(key).digest('hex').slice(0, 12);
  }
}
