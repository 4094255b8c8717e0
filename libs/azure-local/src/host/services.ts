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
import { azureVaultLimits, subscriptionLimits, VaultLimiter } from '../key-vault/limit.js';
import { claimsChallenge } from '../key-vault/errors.js';
import { keyVaultService } from '../key-vault/server.js';
import { Vault } from '../key-vault/state.js';
import { answerControl } from './control-routes.js';
import { armClaimsChallenge, demandedClaims } from './claims-challenge.js';
import { controlOf, type Control } from './control.js';
import { dispatch, type Dispatch, type Outcome } from './dispatch.js';
import { AllFaults } from './fault-control.js';
import { belongsToTheHost, refuseAccountName } from './fleet.js';
import type { Incoming, Log } from './plugin.js';
import type { LocalClock } from './clock.js';
import type { StartOptions } from './start.js';
import type { State } from './state.js';

export interface Services {
  readonly directory: Directory;
  /** Who judges tokens now; another one after a restart of Entra. */
  readonly tokens: () => Tokens;
  readonly clock: LocalClock;
  readonly accounts: Accounts;
  readonly control: Control;
  readonly faults: AllFaults;
  /** Everything on the shared origin. */
  readonly shared: (request: Incoming) => Promise<Outcome>;
  /** One vault, for an origin of its own, with what its file holds. */
  readonly vault: (name: string) => (request: Incoming) => Promise<Outcome>;
  /** What the services on the shared origin have in memory only is as after a start. */
  readonly renew: () => void;
}

/** Builds the services over the opened state, and says which of them a request is for. */
export function servicesOf(
  options: StartOptions & {
    readonly state: State;
    readonly log: Log;
    readonly stopped: AbortSignal;
    readonly origin: () => string;
    readonly localClock: LocalClock;
  },
): Services {
  const { state, log, stopped, origin, localClock, limits = {} } = options;
  const clock = localClock.now;
  const faults = new AllFaults();
  const directory = new Directory(state.tenantId, state.subscriptionId, state.applications);
  const newTokens = () => new Tokens(directory, state.keys, clock, options.tokenLifetimeSeconds ?? 3599);
  let tokens = newTokens();
  /** Made anew whenever the judge of tokens is. */
  const renewable = <S>(make: (judge: Tokens) => S): (() => S) => {
    let made: { readonly judge: Tokens; readonly service: S } | undefined;
    return () => {
      if (made?.judge !== tokens) made = { judge: tokens, service: make(tokens) };
      return made.service;
    };
  };
  const accounts = new Accounts(state.accounts, clock);
  const ledger = new Ledger(state.ledger, clock);
  const control = controlOf({
    faults,
    ledger,
    accounts,
    groups: state.groups,
    directory,
    tokens: () => tokens,
    origin,
    clock: localClock,
  });
  const authority = () => `${origin()}/${state.tenantId}`;
  const arm = limits.arm ?? azureArmLimits;
  const vaultLimits = limits.vault ?? azureVaultLimits;
  const allVaults =
    vaultLimits === 'off' ? undefined : new VaultLimiter(subscriptionLimits(vaultLimits), clock);

  const entra = renewable((judge) =>
    entraService({ directory, tokens: judge, keys: state.keys, clock, origin }),
  );
  const resourceManager = renewable((judge) =>
    armService({
      accounts,
      groups: state.groups,
      directory,
      tokens: judge,
      buckets: arm === 'off' ? undefined : new Buckets(arm, clock),
      clock,
      authority,
      pageSize: options.pageSize ?? 100,
      refuseName: refuseAccountName,
      provisioningMs: () => control.provisioningMs,
    }),
  );
  const ai = renewable((judge) =>
    dataPlane({
      accounts,
      directory,
      tokens: judge,
      ledger,
      issuedTokens: new IssuedTokens(state.exchangeSecret, clock, state.subscriptionId),
      tokensSurviveRegeneration: () => control.tokensSurviveRegeneration,
    }),
  );

  const rules: Dispatch = { faults: faults.http, log, stopped };
  const vaultRules: Dispatch = {
    ...rules,
    claimsChallenge: () => claimsChallenge(authority(), demandedClaims(clock())),
  };
  const armRules: Dispatch = {
    ...rules,
    claimsChallenge: () => armClaimsChallenge(authority(), demandedClaims(clock())),
  };
  return {
    directory,
    tokens: () => tokens,
    clock: localClock,
    accounts,
    control,
    faults,
    shared: async (request) => {
      const root = (request.segments[0] ?? '').toLowerCase();
      if (root === '_local') return answerControl({ control, faults, log }, request);
      if (root === 'subscriptions' || root === 'tenants' || root === 'providers')
        return await dispatch(resourceManager(), request, armRules);
      // A region's token exchange finds the account by its key; and a name with a dot may be an account's.
      if (root === 'sts' || accounts.get(root) !== undefined) return await dispatch(ai(), request, rules);
      // What is no account's name and nobody else's is a tenant, known or not.
      if (entraRoots.includes(root) || belongsToTheHost(root)) return await dispatch(entra(), request, rules);
      return await dispatch(ai(), request, rules);
    },
    vault: (name) => {
      const newVersion = () => randomBytes(16).toString('hex');
      const vault = new Vault(state.vault(name), clock, newVersion, options.vaultRetentionDays);
      const limiter = new VaultLimiter(vaultLimits, clock, allVaults);
      const service = renewable((judge) =>
        keyVaultService({
          name,
          vault,
          directory,
          tokens: judge,
          limiter,
          authority,
          backupSecret: state.exchangeSecret.toString('hex'),
        }),
      );
      return (request) => dispatch(service(), request, vaultRules);
    },
    renew: () => {
      tokens = newTokens();
    },
  };
}
