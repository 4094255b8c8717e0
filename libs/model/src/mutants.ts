// One rule switched off at a time: each must be missed. What is caught tells what the rule is for; what is not caught
// is not proven to be needed, and is listed with the wall that stands behind it.
import type { Invariant } from './moves.js';
import type { Rule } from './rules.js';
import { scenario, type Scenario, type Troubles } from './scenario.js';
import { CALM } from './scenarios.js';

export interface Mutant {
  /** What the mutant does, in words that follow "a twinkey that". */
  readonly name: string;
  readonly off: readonly Rule[];
  readonly scenario: Scenario;
  /** What it breaks first. */
  readonly breaks: Invariant;
}

function mutant(name: string, off: Rule | readonly Rule[], breaks: Invariant, troubles: Troubles): Mutant {
  return {
    name,
    off: typeof off === 'string' ? [off] : off,
    scenario: scenario(name, { ...CALM, ...troubles }),
    breaks,
  };
}

const JUST_PUBLISHED: Troubles = { start: 'just-published' };
const LOST: Troubles = { callsAreLost: true };

export const MUTANTS: readonly Mutant[] = [
  mutant('regenerates the published slot', 'onlyTheUnpublishedSlot', 'I6', {}),
  mutant('regenerates without acknowledgements', 'acknowledgementsGate', 'I1', {}),
  mutant('gates the second regeneration only', 'firstRegenerationIsGated', 'I1', JUST_PUBLISHED),
  mutant('takes one instance for all', 'everyInstanceAcknowledges', 'I1', { consumers: 2 }),
  mutant(
    'takes any acknowledgement for one of the published generation',
    'acknowledgementNamesTheGeneration',
    'I7',
    { consumersFail: true },
  ),
  mutant('takes an older generation for the published one', 'onlyTheExactGenerationCounts', 'I1', {}),
  mutant('acknowledges on receipt', 'acknowledgesAfterTheSwitch', 'I7', {}),
  mutant('acknowledges while older requests are under way', 'acknowledgesWhenDrained', 'I1', {
    requests: true,
  }),
  mutant(
    'counts what an earlier boot acknowledged, and starts from a cache',
    ['acknowledgementNamesTheBoot', 'readsBeforeServing'],
    'I1',
    { consumersFail: true },
  ),
  mutant('reads the key, then registers', 'registersFirst', 'I1', { consumers: 2, lateConsumer: true }),
  mutant('lets a request for a switch slip into a registration', 'registrationAndRequestExclude', 'I1', {
    consumers: 1,
    lateConsumer: true,
    lateVault: true,
  }),
  mutant('registers without naming a minimum', 'registrationNamesTheMinimum', 'I1', {
    consumers: 1,
    lateConsumer: true,
    lateVault: true,
  }),
  mutant('serves from a cache without asking', 'readsBeforeServing', 'I1', { consumersFail: true }),
  mutant('installs a lower generation', 'installsOnlyHigher', 'I7', { lateVault: true, consumersPoll: true }),
  mutant('installs versions without tags', 'installsOnlyTagged', 'I3', {
    consumersPoll: true,
    budget: { handWrites: 1 },
  }),
  mutant('goes on with a lapsed instance that reads nothing', 'rereadsWhenLapsed', 'I1', {
    partitions: true,
  }),
  mutant('gives lapsed instances no time to read', 'lapsedHaveTimeToReread', 'I1', { partitions: true }),
  mutant('forgets lapsed instances', 'lapsedStillCount', 'I1', { partitions: true }),
  mutant('excuses everyone when one is excused', 'waivesByName', 'I1', {
    consumers: 2,
    budget: { waives: 1 },
  }),
  mutant('forgets the end of a drain', 'drainIsNamed', 'I1', { requests: true, unseenRequests: true }),
  mutant('does not wait for a drain', 'drainIsWaitedFor', 'I1', { requests: true, unseenRequests: true }),
  mutant('does not compare the vault with the record', 'gateComparesVault', 'I2', {
    budget: { handWrites: 1 },
  }),
  mutant(
    'commits without the lease and without the version',
    ['commitsNeedTheLease', 'commitsNeedTheVersion'],
    'I6',
    { rotators: 2, rotatorsFail: true },
  ),
  mutant('sends without a look at the lease', 'sendingNeedsTheLease', 'I6', {
    rotators: 2,
    rotatorsFail: true,
  }),
  mutant('commits the intent after the call', 'intentComesFirst', 'I6', {
    rotatorsFail: true,
    callsAreLost: true,
  }),
  mutant('publishes while a regeneration may still execute', 'regenerationsQuietBeforePublication', 'I6', {
    ...LOST,
    budget: { leaks: 1 },
  }),
  mutant('regenerates while a publication may still land', 'publicationsQuietBeforeRegeneration', 'I6', {
    ...LOST,
    budget: { leaks: 1 },
  }),
  mutant(
    'takes a new generation while an older publication may still land',
    'olderPublicationsQuietBeforeNewGeneration',
    'I4',
    { ...LOST, budget: { strangers: 1 } },
  ),
  mutant('waits for no quiescence', 'waitsForQuiescence', 'I6', LOST),
  mutant('lets a publication that succeeded settle earlier doubts', 'doubtIsSticky', 'I4', {
    ...LOST,
    budget: { rotations: 2 },
  }),
  mutant(
    'lets a regeneration that succeeded settle earlier doubts',
    ['doubtIsSticky', 'regenerationsQuietBeforeTheNext'],
    'I6',
    LOST,
  ),
  mutant('sends a request twice', 'oneRequestPerIntent', 'I6', LOST),
  mutant('publishes what the data plane does not accept yet', 'verifiesBeforePublication', 'I2', {
    latePlane: true,
  }),
  mutant('believes a late list against an answer', 'answerAndListAgree', 'I2', {
    rotatorsFail: true,
    lateLists: true,
    latePlane: true,
  }),
  mutant('takes a doubtful regeneration for done', 'doubtIsResolvedByLooking', 'I5', LOST),
  mutant(
    'takes a doubtful publication for done, and does not compare the vault',
    ['adoptionNeedsTheVault', 'gateComparesVault'],
    'I2',
    LOST,
  ),
  mutant('records a key as retired without proof', 'retirementIsProven', 'I5', { latePlane: true }),
  mutant(
    'takes a late list for the keys of a request while it is in doubt',
    'doubtsEndBeforeRetirements',
    'I9',
    {
      ...LOST,
      lateLists: true,
      budget: { leaks: 1 },
    },
  ),
  mutant('trusts a restored database', 'restoredBeginsAnew', 'I1', { budget: { restores: 1 } }),
  mutant('completes too early', 'completionNeedsBothRetired', 'I9', {}),
  mutant(
    'uses a generation again while its publication may still land',
    ['generationsAreNeverReused', 'olderPublicationsQuietBeforeNewGeneration'],
    'I4',
    { ...LOST, budget: { strangers: 1 } },
  ),
  mutant('executes an old command once more', 'commandsGoThroughThePlan', 'I6', {}),
  mutant('takes a doubtful regeneration back', 'forwardOnly', 'I6', LOST),
  mutant('minds no drift', 'healsDrift', 'I10', { budget: { strangers: 1 } }),
  mutant('never looks at an account at rest', 'looksAtRest', 'I10', { budget: { strangers: 1 } }),
  mutant('takes an answer to another question', 'outcomeAnswersTheQuestion', 'I1', {
    doubled: true,
    budget: { rotations: 2 },
  }),
  mutant('waives everything with the deadline', 'forceWaivesAcknowledgementsOnly', 'I2', {
    onOverdue: 'force',
    deadlines: true,
    silent: true,
    budget: { handWrites: 1 },
  }),
  mutant(
    'loses questions and never asks again',
    ['questionsLeaveThroughTheOutbox', 'asksAgainWhenUnanswered'],
    'I10',
    { deadlines: true },
  ),
  mutant('never asks again when an answer is lost', 'asksAgainWhenUnanswered', 'I10', {
    deadlines: true,
    budget: { lostAnswers: 1 },
  }),
];

/** Rules whose removal alone breaks nothing in these worlds: what stands behind each. They are not counted. */
export const SECOND_WALLS: readonly { readonly rule: Rule; readonly behind: string }[] = [
  {
    rule: 'commitsNeedTheVersion',
    behind: 'while the lease is kept, only inputs change the ring, and none of them closes an open gate',
  },
  {
    rule: 'commitsNeedTheLease',
    behind: 'the expected version refuses every decision that was taken on an older ring',
  },
  {
    rule: 'regenerationsQuietBeforeTheNext',
    behind:
      'nothing is published before every regeneration of the slot is settled; the slot is regenerated twice',
  },
  {
    rule: 'adoptionNeedsTheVault',
    behind: 'the vault is compared with the record before every regeneration, and drift heals the rest',
  },
  {
    rule: 'vaultIsReadAfterTheIntent',
    behind: 'a look that shows an older generation than the record is mistrusted, and drift heals the rest',
  },
  {
    rule: 'listsAreTakenAfterTheRequest',
    behind:
      'the answer of a regeneration is compared with the list, and a key is proven dead before it is closed',
  },
  {
    rule: 'generationsAreNeverReused',
    behind: 'no new generation is taken while an older publication may still land',
  },
  {
    rule: 'evidenceNamesTheRotation',
    behind: 'whoever registers later is told the published generation and uses nothing older',
  },
  {
    rule: 'questionsLeaveThroughTheOutbox',
    behind: 'a question that nobody answers is asked again after its deadline',
  },
];
