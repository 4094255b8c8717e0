// What was found, as people read it.
import type { Found } from './explore.js';
import type { Mutant } from './mutants.js';

/** One line per world that was searched. */
export function summaryOf(found: Found): string {
  const { scenario, states, edges, depth, seconds, exhaustive, bounded, complete, breach } = found;
  const extent =
    exhaustive || breach?.invariant === 'I10' ? 'every state' : breach === null ? 'cut off' : 'until then';
  const bounds = bounded === 0 ? '' : `, ${number(bounded)} at the bounds`;
  const verdict = breach === null ? 'all invariants hold' : `${breach.invariant} BROKEN: ${breach.detail}`;
  return (
    `${scenario}: ${number(states)} states (${extent}${bounds}), ${number(edges)} edges, ` +
    `${number(complete)} complete, depth ${depth}, ${seconds.toFixed(1)} s, ${number(Math.round(states / seconds))}/s: ${verdict}`
  );
}

/** The way to the breach, move by move. */
export function storyOf({ story, breach }: Found): string {
  const lines = story.map((line, index) => `${String(index + 1).padStart(4)}. ${line}`);
  return [...lines, `      => ${breach?.invariant ?? ''} ${breach?.detail ?? ''}`].join('\n');
}

export function verdictOn({ name, off }: Mutant, { breach, states, story, seconds }: Found): string {
  const rules = off.join(' + ');
  return breach === null
    ? `SURVIVED: a twinkey that ${name} (${rules}), ${number(states)} states`
    : `${breach.invariant.padEnd(3)} in ${String(story.length).padStart(2)} moves, ${number(states)} states, ${seconds.toFixed(1)} s: a twinkey that ${name} (${rules})`;
}

function number(value: number): string {
  return value.toLocaleString('en');
}
