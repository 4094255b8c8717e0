// The worlds that are searched, from the smallest to the widest. What always goes wrong in them: calls are lost, late,
// refused, or executed without an answer; rotators and consumers die; instances poll before anybody tells them.
import { scenario, type Scenario, type Troubles } from './scenario.js';

/** Nothing goes wrong but what a rule is about: the shortest way to a counterexample. */
export const CALM: Troubles = {
  rotatorsFail: false,
  callsAreLost: false,
  callsAreRefused: false,
  consumersFail: false,
  consumersPoll: false,
};

/** What a first look at a change should find, in seconds. */
export const SMALL: readonly Scenario[] = [
  scenario('a publication that nobody has followed yet', { ...CALM, start: 'just-published' }),
  scenario('a deadline, and go on', { ...CALM, deadlines: true, onOverdue: 'force', silent: true }),
  scenario('a deadline, and hold', { ...CALM, deadlines: true, budget: { lostAnswers: 1 } }),
  scenario('partitions', { ...CALM, partitions: true }),
  scenario('requests that are seen', { ...CALM, requests: true }),
  scenario('requests that are not seen', { ...CALM, requests: true, unseenRequests: true }),
  scenario('halted, replayed, and a consumer excused', { ...CALM, budget: { halts: 1, waives: 1 } }),
  scenario('a late data plane, and nothing else', { ...CALM, latePlane: true }),
  scenario('a lagging vault, and a consumer that starts late', {
    ...CALM,
    lateVault: true,
    lateConsumer: true,
  }),
  scenario('a stranger in the portal, and nothing else', { ...CALM, budget: { strangers: 1 } }),
  scenario('a version written by hand, and nothing else', { ...CALM, budget: { handWrites: 1 } }),
  scenario('a leak, and nothing else', { ...CALM, budget: { leaks: 1 } }),
  scenario('a restored database', { ...CALM, budget: { restores: 1 } }),
];

export const ONE_ROTATION = scenario('one rotation, two rotators, one consumer', { rotators: 2 });

/**
 * The same with a consumer that dies once, and without refused calls, which are lost calls that nobody doubts: a
 * third of the states.
 */
export const ONE_ROTATION_SHORT = scenario('one rotation, two rotators, one consumer that dies once', {
  rotators: 2,
  callsAreRefused: false,
  budget: { deaths: 1 },
});

/** Part of every run of the tests. */
export const SHORT: readonly Scenario[] = [...SMALL, ONE_ROTATION_SHORT];

/** Minutes to hours. */
export const LONG: readonly Scenario[] = [
  ...SHORT,
  scenario('late lists, and rotators that die', { ...CALM, rotatorsFail: true, lateLists: true }),
  scenario('a late data plane and late lists', {
    ...CALM,
    rotatorsFail: true,
    latePlane: true,
    lateLists: true,
  }),
  ONE_ROTATION,
  scenario('two rotations', { budget: { rotations: 2 } }),
  scenario('two consumers', { consumers: 2 }),
  scenario('a late consumer', { consumers: 2, lateConsumer: true }),
  scenario('a rotation and a leak at any moment', { budget: { leaks: 1 } }),
  scenario('two requests in limbo, and a leak', { limbo: 2, consumersFail: false, budget: { leaks: 1 } }),
  scenario('a late data plane', { latePlane: true }),
  scenario('late lists and a late data plane', { lateLists: true, latePlane: true }),
  scenario('a lagging vault', { lateVault: true }),
  scenario('requests under way', { requests: true }),
  scenario('requests under way that nobody sees', { requests: true, unseenRequests: true }),
  scenario('cut off from the notifier', { partitions: true }),
  scenario('messages that come again', { doubled: true }),
  scenario('deadlines, and hold', { deadlines: true }),
  scenario('deadlines, and go on', { deadlines: true, onOverdue: 'force' }),
  scenario('starts from a cache', { cachedStart: true }),
  scenario('no consumer is waited for', { withoutConsumers: 'wait', deadlines: true, lateConsumer: true }),
  scenario('a person halts, replays and excuses', { budget: { halts: 1, waives: 1 } }),
  scenario('a stranger in the portal', { budget: { strangers: 1 } }),
  scenario('a version written by hand', { budget: { handWrites: 1 } }),
  scenario('lost calls, late lists and a leak', {
    ...CALM,
    callsAreLost: true,
    lateLists: true,
    budget: { leaks: 1 },
  }),
  scenario('a restored database, lost calls and a rotator that dies', {
    ...CALM,
    rotatorsFail: true,
    callsAreLost: true,
    budget: { restores: 1 },
  }),
  scenario('a restored database and a consumer that starts late', {
    ...CALM,
    consumers: 2,
    lateConsumer: true,
    budget: { restores: 1 },
  }),
  scenario('a data plane that is asked once only', { probeTries: 1, latePlane: true }),
];
