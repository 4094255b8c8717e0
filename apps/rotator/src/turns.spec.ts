import { describe, expect, it } from '@jest/globals';
import { AccountId } from '@twinkey/contracts';
import { Turns } from './turns.js';

function account(name: string): AccountId {
  return AccountId.parse(
    `/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/${name}`,
  );
}

/** A look that ends when the spec says so. */
function looks() {
  const begun: AccountId[] = [];
  const ends: (() => void)[] = [];
  return {
    begun,
    endNext: () => ends.shift()?.(),
    serve: (asked: AccountId) => {
      begun.push(asked);
      return new Promise<void>((resolve) => ends.push(resolve));
    },
  };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('turns', () => {
  it('never look at one account twice at a time, and look again when asked meanwhile', async () => {
    const turns = new Turns(4);
    const look = looks();
    turns.serve(look.serve);
    turns.ask(account('a'));
    turns.ask(account('a'));
    turns.ask(account('a'));
    expect(look.begun).toHaveLength(1);
    look.endNext();
    await settled();
    expect(look.begun).toHaveLength(2);
    look.endNext();
    await settled();
    expect(look.begun).toHaveLength(2);
  });

  it('use no more hands than there are', async () => {
    const turns = new Turns(2);
    const look = looks();
    turns.serve(look.serve);
    for (const name of ['a', 'b', 'c']) turns.ask(account(name));
    expect(look.begun).toEqual([account('a'), account('b')]);
    look.endNext();
    await settled();
    expect(look.begun).toEqual([account('a'), account('b'), account('c')]);
  });

  it('stop when the last look is over, and begin none after that', async () => {
    const turns = new Turns(1);
    const look = looks();
    turns.serve(look.serve);
    turns.ask(account('a'));
    turns.ask(account('b'));
    const stopped = turns.stop();
    look.endNext();
    await stopped;
    turns.ask(account('c'));
    expect(look.begun).toEqual([account('a')]);
  });
});
