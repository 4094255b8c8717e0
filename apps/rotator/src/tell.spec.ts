import { describe, expect, it } from '@jest/globals';
import { AccountId, ConsumerName, Fingerprint, RotationId } from '@twinkey/contracts';
import { emptyRing, evolve, type RingEvent } from '@twinkey/rotation';
import { tell } from './tell.js';

const account = AccountId.parse(
  '/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/speech',
);
const rotationId = RotationId.parse('r-00000000000a');
const [one, two] = ['1', '2'].map((digit) => Fingerprint.parse(digit.repeat(32)));
if (one === undefined || two === undefined) throw new Error('two fingerprints');

const at = 1;
const past: readonly RingEvent[] = [
  { at, type: 'Published', slot: 'key1', fingerprint: one, generation: 1, version: 'v', attempt: null },
  { at, type: 'RotationRequested', rotationId, by: 'ana', reason: 'due' },
  { at, type: 'RetirementsRecorded', rotationId, retire: { key1: one, key2: two }, startedFrom: 'key1' },
  { at, type: 'SwitchAsked', generation: 1, request: 1, rotationId, deadlineAt: 9, waived: [] },
];
const asked = past.reduce(evolve, emptyRing(account));

describe('a key switch that everybody acknowledged', () => {
  const confirmed = {
    type: 'SwitchConfirmed',
    at: 2,
    generation: 1,
    request: 1,
    openFrom: 2,
    instances: 3,
  } as const;
  const told = (event: RingEvent) => tell(asked, event, evolve(asked, event), null).map(({ what }) => what);

  it('is told with the declared consumers that it went on without', () => {
    expect(told({ ...confirmed, forced: [ConsumerName.parse('desk')] })).toContainEqual({
      event: 'forced',
      step: expect.any(String),
      detail: 'went on without desk, as was declared of it',
    });
  });

  it('is not said to be forced when it was not', () => {
    expect(told(confirmed)).not.toContainEqual(expect.objectContaining({ event: 'forced' }));
  });
});
