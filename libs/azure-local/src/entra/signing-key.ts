import { existsSync, readFileSync } from 'node:fs';
import {
  calculateJwkThumbprint,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  importJWK,
  jwtVerify,
  SignJWT,
  type CryptoKey,
  type JWK,
  type JWTPayload,
} from 'jose';
import { isObject } from '../host/plugin.js';
import { replaceFile } from '../host/persist.js';

export interface SigningKeys {
  /** Signs access tokens. */
  readonly tenant: SigningKey;
  /** Signs projected workload tokens. Made on first use: an RSA key takes longer than all the rest of a start. */
  readonly workload: () => Promise<SigningKey>;
}

/**
 * An RS256 key pair kept in a file. It must outlive a restart: the SDKs never drop a cached token on a 401, so a
 * new signing key would lock every running client out for up to an hour.
 */
export class SigningKey {
  readonly #private: CryptoKey;
  readonly #public: CryptoKey;

  private constructor(
    readonly publicJwk: JWK,
    privateKey: CryptoKey,
    publicKey: CryptoKey,
  ) {
    this.#private = privateKey;
    this.#public = publicKey;
  }

  static async open(file: string): Promise<SigningKey> {
    if (!existsSync(file)) {
      const pair = await generateKeyPair('RS256', { extractable: true });
      const made = await exportJWK(pair.privateKey);
      replaceFile(
        file,
        JSON.stringify({ ...made, kid: await calculateJwkThumbprint(made), alg: 'RS256', use: 'sig' }),
      );
    }
    const jwk: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (!isObject(jwk)) throw new Error(`${file} is not a JSON Web Key; delete it to make a new one.`);
    const { kty, n, e, kid } = jwk as Record<string, string>;
    const publicJwk: JWK = {
      kty: kty ?? '',
      n: n ?? '',
      e: e ?? '',
      kid: kid ?? '',
      alg: 'RS256',
      use: 'sig',
    };
    return new SigningKey(publicJwk, await imported(jwk), await imported(publicJwk));
  }

  async sign(claims: JWTPayload): Promise<string> {
    const header = { alg: 'RS256', typ: 'JWT', kid: this.publicJwk.kid ?? '' };
    return await new SignJWT(claims).setProtectedHeader(header).sign(this.#private);
  }

  /** The claims when the signature is ours and the times hold at `now`; throws jose's errors. */
  async verify(token: string, now: number): Promise<JWTPayload> {
    const { payload } = await jwtVerify(token, this.#public, {
      algorithms: ['RS256'],
      currentDate: new Date(now),
    });
    return payload;
  }
}

/** As {@link SigningKey.verify}, against the published keys of a foreign issuer. */
export async function verifyAgainst(keys: readonly JWK[], token: string, now: number): Promise<JWTPayload> {
  const { kid, alg } = decodeProtectedHeader(token);
  const jwk = keys.find((key) => kid === undefined || key.kid === kid);
  if (jwk === undefined) throw new Error('no such key');
  const { payload } = await jwtVerify(token, await importJWK(jwk, alg), { currentDate: new Date(now) });
  return payload;
}

async function imported(jwk: JWK): Promise<CryptoKey> {
  const key = await importJWK(jwk, 'RS256');
  if (key instanceof Uint8Array) throw new Error('An RSA key was expected.');
  return key;
}
