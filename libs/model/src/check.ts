// npm run check:model [-- --long] [-- --most N] [-- --scenario WORDS] [-- --mutants] [-- --story]
import { parseArgs } from 'node:util';
import { BROKEN_ASSUMPTIONS } from './broken-assumptions.js';
import { explore, modelOf } from './explore.js';
import { MUTANTS, SECOND_WALLS } from './mutants.js';
import { EVERY_RULE, without } from './rules.js';
import { LONG, SHORT } from './scenarios.js';
import { storyOf, summaryOf, verdictOn } from './story.js';

const USAGE = `npm run check:model -- [--long] [--most N] [--scenario WORDS] [--mutants] [--story]
  --long       every scenario, many millions of states, and what broken timing assumptions lead to
  --most       so many states of a scenario at most, 800,000 unless told; "all": to the last one, however long it takes
  --scenario   only those whose name contains these words
  --mutants    only the mutants: each rule switched off must be caught
  --story      tell every mutant's counterexample`;

const { values } = parseArgs({
  options: {
    long: { type: 'boolean', default: false },
    most: { type: 'string', default: '800000' },
    scenario: { type: 'string' },
    mutants: { type: 'boolean', default: false },
    story: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) say(USAGE);
else {
  const all = values.scenario === undefined;
  let wrong = 0;
  if (!values.mutants) wrong += checkScenarios();
  if (values.long && all && !values.mutants) wrong += checkBrokenAssumptions();
  if (values.mutants || all) wrong += checkMutants();
  if (wrong > 0) process.exitCode = 1;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** How far a scenario is searched; undefined: to its last state. */
function mostStates(): { readonly mostStates?: number } {
  if (values.most === 'all') return {};
  const most = Number(values.most.replaceAll(/[_,]/g, ''));
  if (Number.isInteger(most) && most > 0) return { mostStates: most };
  throw new Error(`--most: must be a number of states, or "all", not "${values.most}"`);
}

/** Each answers how many are wrong. */
function checkScenarios(): number {
  const all = values.long || values.scenario !== undefined ? LONG : SHORT;
  const chosen = all.filter(({ name }) => name.includes(values.scenario ?? ''));
  if (chosen.length === 0) throw new Error(`--scenario: no scenario is called "${values.scenario ?? ''}"`);
  let wrong = 0;
  let states = 0;
  for (const scenario of chosen) {
    const found = explore(modelOf(scenario, EVERY_RULE), mostStates());
    states += found.states;
    say(summaryOf(found));
    if (found.breach === null) continue;
    wrong += 1;
    say(storyOf(found));
  }
  const most = Math.round(process.resourceUsage().maxRSS / 1_024);
  say(`${states.toLocaleString('en')} states in ${chosen.length} scenarios, ${most} MB at most`);
  return wrong;
}

function checkBrokenAssumptions(): number {
  let wrong = 0;
  for (const { name, scenario, off, breaks, givenUp } of BROKEN_ASSUMPTIONS) {
    const model = modelOf(scenario, without(...off));
    const first = explore(model, { completion: false });
    const needed = first.breach?.invariant === breaks;
    say(`${needed ? `${breaks}, as expected` : 'NOT NEEDED'}, although ${name}`);
    const behind = explore(model, { givenUp });
    say(`behind it, ${summaryOf(behind)}`);
    if (behind.breach !== null) say(storyOf(behind));
    if (!needed || behind.breach !== null) wrong += 1;
  }
  return wrong;
}

function checkMutants(): number {
  let caught = 0;
  for (const mutant of MUTANTS) {
    const found = explore(modelOf(mutant.scenario, without(...mutant.off)), { mostStates: 1_000_000 });
    say(verdictOn(mutant, found));
    if (values.story && found.breach !== null) say(storyOf(found));
    if (found.breach !== null) caught += 1;
  }
  say(`${caught} of ${MUTANTS.length} mutants are caught; ${SECOND_WALLS.length} rules are second walls`);
  return MUTANTS.length - caught;
}
