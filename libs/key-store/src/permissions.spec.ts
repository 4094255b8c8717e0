import { describe, expect, it } from '@jest/globals';
import { lacking } from './index.js';

const accounts = 'Microsoft.CognitiveServices/accounts';
const wanted = {
  actions: [`${accounts}/listKeys/action`, `${accounts}/regenerateKey/action`],
  dataActions: [],
};

describe('what permissions lack', () => {
  it.each<[string, Parameters<typeof lacking>[0], readonly string[]]>([
    ['everything without a role', [], wanted.actions],
    [
      'nothing where each action is named, in whatever case',
      [{ actions: wanted.actions.map((each) => each.toLowerCase()) }],
      [],
    ],
    ['nothing below a pattern', [{ actions: [`${accounts}/*`] }], []],
    ['what reads only', [{ actions: ['*/read'] }], wanted.actions],
    [
      'what the role itself takes back',
      [{ actions: ['*'], notActions: [`${accounts}/regenerateKey/*`] }],
      [wanted.actions[1] ?? ''],
    ],
    [
      'nothing that another role gives',
      [{ actions: ['*'], notActions: ['*/action'] }, { actions: ['*'] }],
      [],
    ],
    ['actions that are for data only', [{ dataActions: ['*'] }], wanted.actions],
  ])('is %s', (_, permissions, missing) => {
    expect(lacking(permissions, wanted)).toEqual(missing);
  });
});
