// The states from which no way leads to completion: found backwards, from the complete ones.
import type { Flags, Graph } from './explore.js';

export function unfinished(
  graph: Graph,
  states: number,
  finished: Flags,
): { readonly count: number; readonly first: number } {
  // Edges sorted by where they lead: those to state s are at [starts[s], starts[s + 1]).
  const starts = new Int32Array(states + 2);
  for (let edge = 0; edge < graph.size; edge += 1) {
    const to = (graph.to[edge] ?? 0) + 2;
    starts[to] = (starts[to] ?? 0) + 1;
  }
  for (let state = 1; state < starts.length; state += 1)
    starts[state] = (starts[state] ?? 0) + (starts[state - 1] ?? 0);
  const sources = new Int32Array(graph.size);
  for (let edge = 0; edge < graph.size; edge += 1) {
    const to = (graph.to[edge] ?? 0) + 1;
    const place = starts[to] ?? 0;
    sources[place] = graph.from[edge] ?? 0;
    starts[to] = place + 1;
  }
  const reaches = new Uint8Array(states);
  const queue = new Int32Array(states);
  let length = 0;
  for (let state = 0; state < states; state += 1) {
    if (!finished.has(state)) continue;
    reaches[state] = 1;
    queue[length] = state;
    length += 1;
  }
  for (let head = 0; head < length; head += 1) {
    const state = queue[head] ?? 0;
    for (let index = starts[state] ?? 0; index < (starts[state + 1] ?? 0); index += 1) {
      const source = sources[index] ?? 0;
      if (reaches[source] === 1) continue;
      reaches[source] = 1;
      queue[length] = source;
      length += 1;
    }
  }
  return { count: states - length, first: reaches.indexOf(0) };
}
