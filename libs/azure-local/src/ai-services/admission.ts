import type { Directory } from '../entra/state.js';
import type { Tokens } from '../entra/tokens.js';
import type { Incoming, Reply } from '../host/plugin.js';
import { accountId } from '../resource-manager/protocol.js';
import { subdomainOf } from '../resource-manager/resources.js';
import type { Account, Accounts } from '../resource-manager/state.js';
import { dataNeed } from './data-actions.js';
import { badKey, badToken, keysDisabled, principalDenied, subdomainNeeded } from './errors.js';
import type { IssuedTokens } from './issued-token.js';
import {
  credentialOf,
  isOpen,
  isOpenAi,
  isOpenAiV1,
  pathOf,
  sellsTokens,
  type AiOperation,
} from './protocol.js';
import type { Use } from './state.js';

export interface AdmissionOptions {
  readonly accounts: Accounts;
  readonly directory: Directory;
  readonly tokens: Tokens;
  readonly issuedTokens: IssuedTokens;
  /** Whether a token bought with a key outlives the key; it probably does in Azure. */
  readonly tokensSurviveRegeneration: () => boolean;
}

export type Admission = Pick<Use, 'proof' | 'slot'> & { readonly refused?: Reply };

const audience = 'https://cognitiveservices.azure.com';

/** Whether a request may be answered, and what for: a key, a token that a key bought, or an Entra token. */
export async function admit(
  account: Account,
  operation: AiOperation,
  request: Incoming,
  options: AdmissionOptions,
): Promise<Admission> {
  const credential = credentialOf(request);
  if (operation.name === 'issueToken' && credential.kind !== 'key')
    return { proof: 'none', slot: 'none', refused: badKey() }; // a token buys no further token
  switch (credential.kind) {
    case 'key': {
      const admission = admitKey(account, credential.key, options);
      const hasNone = operation.name === 'issueToken' && !sellsTokens(account.kind);
      return hasNone && admission.refused === undefined ? { ...admission, refused: badKey() } : admission;
    }
    case 'token':
      return (
        (await admitIssued(account, credential.token, options)) ??
        (await admitPrincipal(account, credential.token, request, options))
      );
    case 'none':
      if (isOpen(account.kind, request)) return { proof: 'none', slot: 'none' };
      return { proof: 'none', slot: 'none', refused: isOpenAi(request) ? badToken() : badKey() };
  }
}

function admitKey(account: Account, key: string, { accounts }: AdmissionOptions): Admission {
  const verdict = accounts.judge(account, key);
  if (verdict.accepted) return { proof: 'key', slot: verdict.slot };
  return {
    proof: 'key',
    slot: verdict.slot,
    refused: verdict.keysDisabled === true ? keysDisabled() : badKey(),
  };
}

/** `undefined` for a token that no key bought: it may be one of Entra's. */
async function admitIssued(
  account: Account,
  token: string,
  { issuedTokens, tokensSurviveRegeneration }: AdmissionOptions,
): Promise<Admission | undefined> {
  const bought = await issuedTokens.judge(account, token);
  if (bought === undefined) return undefined;
  const admission = { proof: 'issued-token', slot: bought.slot } as const;
  if (bought.state !== 'valid') return { ...admission, refused: badToken() };
  // It stands for a key: whoever takes no keys any more does not take it either.
  if (account.disableLocalAuth) return { ...admission, refused: keysDisabled() };
  const dies = bought.slot === 'former' && !tokensSurviveRegeneration();
  return dies ? { ...admission, refused: badKey() } : admission;
}

async function admitPrincipal(
  account: Account,
  token: string,
  request: Incoming,
  { tokens, directory }: AdmissionOptions,
): Promise<Admission> {
  const who = await tokens.judge(
    token,
    isOpenAiV1(request) ? [audience, 'https://ai.azure.com'] : [audience],
  );
  const asked = { proof: 'entra', slot: 'none' } as const;
  if ('refused' in who) return { ...asked, refused: badToken() };
  if (subdomainOf(account) === undefined) return { ...asked, refused: subdomainNeeded() };
  const scope = accountId(directory.subscriptionId, account.resourceGroup, account.name);
  const need = dataNeed(account.kind, request.method, pathOf(request));
  if (directory.permits(who.principal.clientId, { dataAction: need.action, scope })) return asked;
  const { action, operation } = need;
  const named = operation === undefined ? undefined : { action, operation };
  return { ...asked, refused: principalDenied(who.principal.objectId, named) };
}
