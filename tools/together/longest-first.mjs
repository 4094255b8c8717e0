// The group that takes longest begins first, or it would be the only one at the end, with a processor idle.
import TestSequencer from '@jest/test-sequencer';

const ORDER = ['simulation', 'embedded-azure', 'services', 'libraries', 'model', 'tools', 'cores'];

const rankOf = ({ path }) => ORDER.findIndex((group) => path.endsWith(`${group}.specs.mjs`));

export default class extends TestSequencer {
  sort(tests) {
    return [...tests].sort((one, other) => rankOf(one) - rankOf(other));
  }
}
