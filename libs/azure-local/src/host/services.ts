import { randomBytes } from 'node:crypto';
import { Accounts } from '../resource-manager/state.js';
import { azureArmLimits, Buckets } from '../resource-manager/buckets.js';
import { dataPlane } from '../ai-services/server.js';
import { IssuedTokens } from '../ai-services/issued-token.js';
import { Ledger } from '../ai-services/state.js';
import { armService } from '../resource-manager/server.js';
import { Directory } from '../entra/state.js';
import { entraRoots } from '../entra/protocol.js';
import { entraService } from '../entra/server.js';
import { Tokens } from '../entra/tokens.js';
import { azureVaultLimits, VaultLimiter } from '../key-vault/limit.js';
import { keyVaultService } from '../key-vault/server.js';
import { Vault } from '../key-vault/state.js';
import { answerControl } from './control-routes.js';
import { armClaimsChallenge, demandedClaims } from './claims-challenge.js';
import { controlOf, type Control } from './control.js';
import { dispatch, type Dispatch, type Outcome } from './dispatch.js';
import { AllFaults } from './fault-control.js';
import { belongsToTheHost, refuseAccountName } from './fleet.js';
import type { Incoming, Log } from './plugin.js';
import type { StartOptions } from './start.js';
import type { State } from './state.js';

export interface Services {
  readonly directory: Directory;
  readonly tokens: Tokens;
  readonly accounts: Accounts;
  readonly control: Control;
  /** Everything on the shared origin. */
  readonly shared: (request: Incoming) => Promise<Outcome>;
  /** One vault, for an origin of its own. */
  readonly vault: (name: string) => (request: Incoming) => Promise<Outcome>;
}

/** Builds the services over the opened state, and says which of them a request is for. */
export function servicesOf(
  options: StartOptions & {
    readonly state: State;
    readonly log: Log;
    readonly stopped: AbortSignal;
    readonly origin: () => string;
  },
): Services {
  const { state, log, stopped, origin, limits = {} } = options;
  const clock = options.clock ?? Date.now;
  const faults = new AllFaults();
  const directory = new Directory(state.tenantId, state.subscriptionId, state.applications);
  const tokens = new Tokens(directory, state.keys, clock, options.tokenLifetimeSeconds ?? 3599);
  const accounts = new Accounts(state.accounts, clock);
  const ledger = new Ledger(state.ledger, clock);
  const control = controlOf({ faults, ledger, accounts, groups: state.groups, directory, tokens, origin });
  const authority = () => `${origin()}/${state.tenantId}`;
  const arm = limits.arm ?? azureArmLimits;

  const entra = entraService({ directory, tokens, keys: state.keys, clock, origin });
  const resourceManager = armService({
    accounts,
    groups: state.groups,
    directory,
    tokens,
    buckets: arm === 'off' ? undefined : new Buckets(arm, clock),
    clock,
    authority,
    pageSize: options.pageSize ?? 100,
    refuseName: refuseAccountName,
  });
  const ai = dataPlane({
    accounts,
    directory,
    tokens,
    ledger,
    issuedTokens: new IssuedTokens(state.exchangeSecret, clock, state.subscriptionId),
    tokensSurviveRegeneration: () => control.tokensSurviveRegeneration,
  });

  const rules: Dispatch = { faults: faults.http, log, stopped };
  const armRules: Dispatch = {
    ...rules,
    claimsChallenge: () => armClaimsChallenge(authority(), demandedClaims(clock())),
  };
  return {
    directory,
    tokens,
    accounts,
    control,
    shared: async (request) => {
      const root = (request.segments[0] ?? '').toLowerCase();
      if (root === '_local') return answerControl(control, faults, request);
      if (root === 'subscriptions' || root === 'tenants' || root === 'providers')
        return await dispatch(resourceManager, request, armRules);
      // A region's token exchange finds the account by its key; and a name with a dot may be an account's.
      if (root === 'sts' || accounts.get(root) !== undefined) return await dispatch(ai, request, rules);
      // What is no account's name and nobody else's is a tenant, known or not.
      if (entraRoots.includes(root) || belongsToTheHost(root)) return await dispatch(entra, request, rules);
      return await dispatch(ai, request, rules);
    },
    vault: (name) => {
      const service = keyVaultService({
        name,
        vault: new Vault(state.vault(name), clock, () => randomBytes(16).toString('hex')),
        directory,
        tokens,
        limiter: new VaultLimiter(limits.vault ?? azureVaultLimits, clock),
        authority,
      });
      return (request) => dispatch(service, request, rules);
    },
  };
}
