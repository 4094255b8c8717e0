// The rotator: owns key rings, rotations and their journal; the only service that ever holds a key.
import { randomUUID } from 'node:crypto';
import { Module, type DynamicModule } from '@nestjs/common';
import { RotationCommand, RotationDue, SwitchOutcome } from '@twinkey/contracts';
import { Writer } from '@twinkey/journal';
import { AccountKeys, SecretShelf, SecretText } from '@twinkey/key-store';
import { signOfLife, type Background, type ServiceDefinition, type ServiceParts } from '@twinkey/service';
import { Accounts } from './accounts.js';
import { Advance } from './advance.js';
import { AzureEvents } from './azure-events.js';
import { Incarnations } from './incarnations.js';
import { Inputs } from './inputs.js';
import { KeyRings } from './key-rings.js';
import type { Outside } from './look.js';
import { measureTold } from './measure-told.js';
import { measuredAzure } from './measured-azure.js';
import { OnGenerationAhead } from './on-generation-ahead.js';
import { OnRegistryEvent } from './on-registry-event.js';
import { OnRotationCommand } from './on-rotation-command.js';
import { OnRotationDue } from './on-rotation-due.js';
import { OnSwitchOutcome } from './on-switch-outcome.js';
import { keyRingReading } from './readings.js';
import { Sweep } from './sweep.js';
import { termsFrom } from './terms-from.js';
import { Turns } from './turns.js';

const VARIABLES = [
  'TWINKEY_RESOURCE_MANAGER_ENDPOINT',
  'TWINKEY_FINGERPRINT_SALT',
  'TWINKEY_QUIESCENCE_SECONDS',
  'TWINKEY_CALL_DEADLINE_SECONDS',
  'TWINKEY_ACCOUNT_LEASE_SECONDS',
  'TWINKEY_DISABLE_VAULT_CHALLENGE_CHECK',
  'TWINKEY_SWEEP_SECONDS',
] as const;

type Names = (typeof VARIABLES)[number];
type Parts = ServiceParts<Names>;

/** Accounts that one process works on at the same time; each waits for Azure most of the time. */
const HANDS = 16;

@Module({})
class RotatorModule {
  static with(accounts: Accounts, advance: Advance, inputs: Inputs): DynamicModule {
    return {
      module: RotatorModule,
      controllers: [OnRotationDue, OnRotationCommand, OnSwitchOutcome, OnGenerationAhead, OnRegistryEvent],
      providers: [
        { provide: Accounts, useValue: accounts },
        { provide: Advance, useValue: advance },
        { provide: Inputs, useValue: inputs },
      ],
    };
  }
}

/** What of Azure can be reached, and how. */
export type Azure = Pick<Outside, 'accountKeys' | 'shelf'>;

/** The rotator, with its keys and secrets reached as told. */
export function rotatorOver(azureOf: (parts: Parts) => Azure): ServiceDefinition<Names> {
  const composed = new WeakMap<Parts, Composed>();
  /** One set of objects per running service, whichever of the two hooks below comes first. */
  const compose = (parts: Parts): Composed => {
    const known = composed.get(parts) ?? composeOver(azureOf(parts), parts);
    composed.set(parts, known);
    return known;
  };
  return {
    name: 'rotator',
    variables: VARIABLES,
    migrations: [new URL('../migrations/', import.meta.url)],
    sources: () => [
      { source: { queue: RotationDue.entity } },
      { source: { queue: RotationCommand.entity } },
      { source: { queue: SwitchOutcome.entity } },
      { source: { topic: 'registry-events', subscription: 'rotator' } },
    ],
    module: (parts) => compose(parts).module,
    readings: ({ database, clock }) => [keyRingReading(database, clock)],
    background: (parts) => compose(parts).background,
  };
}

export const rotator = rotatorOver(({ config, credential, log }) => ({
  accountKeys: new AccountKeys({ credential, endpoint: config.resourceManagerEndpoint, log }),
  shelf: new SecretShelf({ credential, disableChallengeCheck: config.disableVaultChallengeCheck, log }),
}));

interface Composed {
  readonly module: DynamicModule;
  readonly background: readonly Background[];
}

function composeOver(azure: Azure, parts: Parts): Composed {
  const { config, database, bus, log, clock, metrics, signOfLifeMs } = parts;
  const { terms, times } = termsFrom(config);
  const writer = new Writer(database, { log });
  const accounts = new Accounts(database);
  const incarnations = new Incarnations(database, log);
  const rings = new KeyRings(database, writer, () => incarnations.known, measureTold(metrics));
  const turns = new Turns(HANDS);
  const advance = new Advance({
    database,
    accounts,
    rings,
    turns,
    terms,
    times,
    incarnations,
    log,
    holder: `rotator-${randomUUID()}`,
    salt: new SecretText(config.fingerprintSalt),
    outside: { ...measuredAzure(azure, metrics), deadlineMs: times.callDeadlineMs, clock },
  });
  const inputs = new Inputs(accounts, rings, advance, clock);
  return {
    module: RotatorModule.with(accounts, advance, inputs),
    background: [
      { name: 'journal-writer', start: () => undefined, stop: () => writer.close() },
      new Sweep(
        database,
        advance,
        turns,
        config.sweepSeconds * 1_000,
        signOfLife({ name: 'rotator', database, clock, everyMs: signOfLifeMs }),
        incarnations,
        log,
      ),
      new AzureEvents({ bus, accounts, rings, inputs, advance, log }),
    ],
  };
}
