// The rules of the protocol, one switch each. The model goes by all of them; a mutant goes by all but one. Rules that
// the production plan keeps inside are switched off by bending what it is told or what it answers (`bend.ts`).
export const EVERY_RULE = {
  // the plan
  onlyTheUnpublishedSlot: true,
  acknowledgementsGate: true,
  firstRegenerationIsGated: true,
  gateComparesVault: true,
  regenerationsQuietBeforePublication: true,
  publicationsQuietBeforeRegeneration: true,
  olderPublicationsQuietBeforeNewGeneration: true,
  regenerationsQuietBeforeTheNext: true,
  waitsForQuiescence: true,
  verifiesBeforePublication: true,
  answerAndListAgree: true,
  listsAreTakenAfterTheRequest: true,
  vaultIsReadAfterTheIntent: true,
  doubtIsResolvedByLooking: true,
  adoptionNeedsTheVault: true,
  retirementIsProven: true,
  completionNeedsBothRetired: true,
  doubtsEndBeforeRetirements: true,
  generationsAreNeverReused: true,
  forwardOnly: true,
  healsDrift: true,
  driftVoidsEvidence: true,
  evidenceNamesTheRotation: true,
  outcomeAnswersTheQuestion: true,
  forceWaivesAcknowledgementsOnly: true,
  drainIsWaitedFor: true,
  asksAgainWhenUnanswered: true,
  // the rotator
  looksAtRest: true,
  restoredBeginsAnew: true,
  commitsNeedTheLease: true,
  commitsNeedTheVersion: true,
  sendingNeedsTheLease: true,
  intentComesFirst: true,
  doubtIsSticky: true,
  oneRequestPerIntent: true,
  commandsGoThroughThePlan: true,
  questionsLeaveThroughTheOutbox: true,
  // the notifier
  everyInstanceAcknowledges: true,
  onlyTheExactGenerationCounts: true,
  acknowledgementNamesTheGeneration: true,
  acknowledgementNamesTheBoot: true,
  registrationAndRequestExclude: true,
  registrationNamesTheMinimum: true,
  lapsedHaveTimeToReread: true,
  drainIsNamed: true,
  waivesByName: true,
  lapsedStillCount: true,
  // the consumer
  acknowledgesAfterTheSwitch: true,
  acknowledgesWhenDrained: true,
  registersFirst: true,
  readsBeforeServing: true,
  installsOnlyHigher: true,
  installsOnlyTagged: true,
  rereadsWhenLapsed: true,
};

export type Rule = keyof typeof EVERY_RULE;
export type Rules = Readonly<Record<Rule, boolean>>;

export function without(...rules: readonly Rule[]): Rules {
  return { ...EVERY_RULE, ...Object.fromEntries(rules.map((rule) => [rule, false])) };
}

const OF_THE_PLAN: readonly Rule[] = [
  'onlyTheUnpublishedSlot',
  'acknowledgementsGate',
  'firstRegenerationIsGated',
  'gateComparesVault',
  'regenerationsQuietBeforePublication',
  'publicationsQuietBeforeRegeneration',
  'olderPublicationsQuietBeforeNewGeneration',
  'regenerationsQuietBeforeTheNext',
  'waitsForQuiescence',
  'verifiesBeforePublication',
  'answerAndListAgree',
  'listsAreTakenAfterTheRequest',
  'vaultIsReadAfterTheIntent',
  'doubtIsResolvedByLooking',
  'adoptionNeedsTheVault',
  'retirementIsProven',
  'completionNeedsBothRetired',
  'doubtsEndBeforeRetirements',
  'generationsAreNeverReused',
  'healsDrift',
  'evidenceNamesTheRotation',
  'forceWaivesAcknowledgementsOnly',
  'drainIsWaitedFor',
  'asksAgainWhenUnanswered',
];

/** Whether the plan has to be bent at all. */
export function bendsThePlan(rules: Rules): boolean {
  return OF_THE_PLAN.some((rule) => !rules[rule]);
}
