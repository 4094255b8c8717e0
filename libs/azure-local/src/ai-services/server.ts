import type { Directory } from '../entra/state.js';
import type { Tokens } from '../entra/tokens.js';
import { json, type Incoming, type Operation, type Reply, type Service } from '../host/plugin.js';
import type { Account, Accounts } from '../resource-manager/state.js';
import { answerCall } from './answers.js';
import { badKey, keysDisabled, principalDenied, serviceError } from './errors.js';
import type { IssuedTokens } from './issued-token.js';
import { callerOf, type Ledger, type Use } from './state.js';
import { accountId } from '../resource-manager/protocol.js';

export interface DataPlaneOptions {
  readonly accounts: Accounts;
  readonly directory: Directory;
  readonly tokens: Tokens;
  readonly issuedTokens: IssuedTokens;
  readonly ledger: Ledger;
  /** Whether a token bought with a key outlives the key; it probably does in Azure. */
  readonly tokensSurviveRegeneration: () => boolean;
}

export interface AiOperation extends Operation {
  readonly name: 'call' | 'issueToken';
  /** The account's name: the first segment of the path. */
  readonly target: string;
}

type Admission = Pick<Use, 'proof' | 'slot'> & { readonly refused?: Reply };

/** What consumers call: any path below an account's endpoint, with a key, an exchanged token or an Entra token. */
export function dataPlane(options: DataPlaneOptions): Service<AiOperation> {
  return {
    name: 'ai',
    recognise: recogniseCall,
    refuse: (status, code, message) =>
      serviceError(
        status,
        code ?? String(status),
        message ?? (status === 429 ? 'Rate limit is exceeded.' : 'Planted fault.'),
      ),
    perform: async (operation, request) => {
      const account = options.accounts.get(operation.target);
      if (account === undefined) return serviceError(404, '404', 'Resource not found');
      const admission = await admit(account, operation, request, options);
      const { proof, slot, refused } = admission;
      const caller = callerOf(request.headers['user-agent']);
      const outcome = refused === undefined ? 'accepted' : 'refused';
      options.ledger.note({ account: account.name, proof, slot, outcome, caller });
      if (refused !== undefined) return refused;
      if (operation.name === 'call') return answerCall(account, request);
      return await issue(account, admission, request, options);
    },
  };
}

function recogniseCall({ method, segments }: Incoming): AiOperation {
  const path = segments.slice(1).join('/').toLowerCase();
  const isExchange = method === 'POST' && /^sts\/v1\.0\/issuetoken$/.test(path);
  return { name: isExchange ? 'issueToken' : 'call', target: segments[0] ?? '' };
}

async function admit(
  account: Account,
  operation: AiOperation,
  { headers }: Incoming,
  options: DataPlaneOptions,
): Promise<Admission> {
  const given = headers['ocp-apim-subscription-key'] ?? headers['api-key'];
  if (typeof given === 'string') return admitKey(account, given, options);
  const token = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  // An exchanged token buys no further token.
  if (token === undefined || operation.name === 'issueToken')
    return { proof: 'none', slot: 'none', refused: badKey() };
  const bought = await options.issuedTokens.judge(account, token);
  if (bought === undefined) return await admitPrincipal(account, token, options);
  const dies = bought === 'former' && !options.tokensSurviveRegeneration();
  return { proof: 'issued-token', slot: bought, ...(dies ? { refused: badKey() } : {}) };
}

function admitKey(account: Account, key: string, { accounts }: DataPlaneOptions): Admission {
  const verdict = accounts.judge(account, key);
  if (verdict.accepted) return { proof: 'key', slot: verdict.slot };
  return {
    proof: 'key',
    slot: verdict.slot,
    refused: verdict.keysDisabled === true ? keysDisabled() : badKey(),
  };
}

async function admitPrincipal(
  account: Account,
  token: string,
  { tokens, directory }: DataPlaneOptions,
): Promise<Admission> {
  const who = await tokens.judge(token, ['https://cognitiveservices.azure.com']);
  const asked = { proof: 'entra', slot: 'none' } as const;
  if ('refused' in who) return { ...asked, refused: badKey() };
  const scope = accountId(directory.subscriptionId, account.resourceGroup, account.name);
  // The emulator does not tell the data actions of a kind apart.
  const dataAction = `Microsoft.CognitiveServices/accounts/${account.kind}/call/action`;
  const allowed = directory.permits(who.principal.clientId, { dataAction, scope });
  return allowed ? asked : { ...asked, refused: principalDenied('') };
}

async function issue(
  account: Account,
  { slot }: Admission,
  { origin }: Incoming,
  { issuedTokens, directory }: DataPlaneOptions,
): Promise<Reply> {
  if (slot !== 'key1' && slot !== 'key2') return badKey();
  const id = accountId(directory.subscriptionId, account.resourceGroup, account.name);
  const token = await issuedTokens.issue(account, slot, origin, id);
  return { ...json(200, token), headers: { 'content-type': 'application/jwt; charset=us-ascii' } };
}
