// npm run check:model [-- --long] [-- --scenario WORDS] [-- --mutants] [-- --story]
import { parseArgs } from 'node:util';
import { explore, modelOf } from './explore.js';
import { MUTANTS, SECOND_WALLS } from './mutants.js';
import { EVERY_RULE, without } from './rules.js';
import { LONG, SHORT } from './scenarios.js';
import { storyOf, summaryOf, verdictOn } from './story.js';

const USAGE = `npm run check:model -- [--long] [--scenario WORDS] [--mutants] [--story]
  --long       every scenario, many millions of states
  --scenario   only those whose name contains these words
  --mutants    only the mutants: each rule switched off must be caught
  --story      tell every mutant's counterexample`;

const { values } = parseArgs({
  options: {
    long: { type: 'boolean', default: false },
    scenario: { type: 'string' },
    mutants: { type: 'boolean', default: false },
    story: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) process.stdout.write(`${USAGE}\n`);
else check();

function check(): void {
  let wrong = 0;
  const say = (line: string) => process.stdout.write(`${line}\n`);
  if (!values.mutants) {
    const all = values.long ? LONG : values.scenario === undefined ? SHORT : LONG;
    const chosen = all.filter(({ name }) => name.includes(values.scenario ?? ''));
    if (chosen.length === 0) throw new Error(`--scenario: no scenario is called "${values.scenario ?? ''}"`);
    let states = 0;
    for (const scenario of chosen) {
      const found = explore(modelOf(scenario, EVERY_RULE));
      states += found.states;
      say(summaryOf(found));
      if (found.breach === null) continue;
      wrong += 1;
      say(storyOf(found));
    }
    say(`${states.toLocaleString('en')} states in ${chosen.length} scenarios`);
  }
  if (values.mutants || values.scenario === undefined) {
    let caught = 0;
    for (const mutant of MUTANTS) {
      const found = explore(modelOf(mutant.scenario, without(...mutant.off)), { mostStates: 1_000_000 });
      say(verdictOn(mutant, found));
      if (values.story && found.breach !== null) say(storyOf(found));
      if (found.breach === null) wrong += 1;
      else caught += 1;
    }
    say(`${caught} of ${MUTANTS.length} mutants are caught; ${SECOND_WALLS.length} rules are second walls`);
  }
  if (wrong > 0) process.exitCode = 1;
}
