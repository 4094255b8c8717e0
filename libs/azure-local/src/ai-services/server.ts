import { randomUUID } from 'node:crypto';
import { json, type Incoming, type Reply, type Service } from '../host/plugin.js';
import { accountId } from '../resource-manager/protocol.js';
import type { Account, Accounts } from '../resource-manager/state.js';
import { admit, type Admission, type AdmissionOptions } from './admission.js';
import { answerCall } from './answers/answers.js';
import { accountUnknown, badKey, serviceError } from './errors.js';
import { isRegionalExchange, recogniseCall, type AiOperation } from './protocol.js';
import { callerOf, type Ledger } from './state.js';

export type { AiOperation } from './protocol.js';

export interface DataPlaneOptions extends AdmissionOptions {
  readonly ledger: Ledger;
}

/** What consumers call: any path below an account's endpoint, with a key, an exchanged token or an Entra token. */
export function dataPlane(options: DataPlaneOptions): Service<AiOperation> {
  return {
    name: 'ai',
    recognise: (request) => recogniseCall(request, (key) => ownerOf(key, options.accounts)),
    refuse: (status, code, message) =>
      stamped(
        serviceError(
          status,
          code ?? String(status),
          message ?? (status === 429 ? 'Rate limit is exceeded.' : 'Planted fault.'),
        ),
      ),
    perform: async (operation, request) => {
      const account = options.accounts.get(operation.target);
      if (account === undefined) return stamped(isRegionalExchange(request) ? badKey() : accountUnknown());
      const admission = await admit(account, operation, request, options);
      const { proof, slot, refused } = admission;
      const caller = callerOf(request.headers['user-agent']);
      const outcome = refused === undefined ? 'accepted' : 'refused';
      options.ledger.note({ account: account.name, proof, slot, outcome, caller });
      if (refused !== undefined) return stamped(refused, account);
      if (operation.name === 'call') return stamped(answerCall(account, request), account);
      return stamped(await issue(account, admission, request, options), account);
    },
  };
}

/** The account that takes the key, else the one that used to; empty when it is nobody's. */
function ownerOf(key: string, accounts: Accounts): string {
  const judged = accounts.all().map((account) => ({ account, verdict: accounts.judge(account, key) }));
  const owner =
    judged.find(({ verdict }) => verdict.accepted) ?? judged.find(({ verdict }) => verdict.slot === 'former');
  return owner?.account.name ?? '';
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

/** What the gateway in front of all services adds. */
function stamped(reply: Reply, account?: Account): Reply {
  return {
    ...reply,
    headers: {
      'apim-request-id': randomUUID(),
      ...(account === undefined ? {} : { 'x-ms-region': account.location }),
      'strict-transport-security': 'max-age=31536000; includeSubDomains; preload',
      'x-content-type-options': 'nosniff',
      ...reply.headers,
    },
  };
}
