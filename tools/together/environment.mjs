// Gives a group of spec files (see `load.mjs`) what Jest has no word for: a block of tests that is filled by a module
// which has yet to be loaded. Jest's own `describe` wants all of it at once.
import { TestEnvironment } from 'jest-environment-node';

export default class extends TestEnvironment {
  handleTestEvent(event, state) {
    if (event.name !== 'setup') return;
    /** Everything that `load` declares, its hooks included, belongs to a block called `name`. */
    this.global.describeFile = async (name, load) => {
      const outside = state.currentDescribeBlock;
      this.global.describe(name, () => undefined);
      state.currentDescribeBlock = outside.children.at(-1);
      try {
        await load();
      } finally {
        state.currentDescribeBlock = outside;
      }
    };
  }
}
