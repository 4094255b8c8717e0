import { describe, expect, it } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { markOf } from './mark.js';
import { secretNamed, workloadNamed } from './names.js';
import { olderPods, type Rollout, rolloutOf, type Workload } from './rollout.js';
import { nextSecretStep } from './secret.js';

const mark = { annotation: 'twinkey/keys', value: 'speech=5' };
const template = { metadata: { annotations: { 'twinkey/keys': 'speech=5', other: 'theirs' } } };
const selector = { matchLabels: { app: 'x' } };
const metadata = { name: 'x', generation: 3 };

const ends = (rollout: Rollout) =>
  'waitsFor' in rollout ? rollout.waitsFor : 'reason' in rollout ? rollout.reason : rollout.state;

describe('a stateful set', () => {
  const look = (status: object, spec: object = {}): string => {
    const object = {
      metadata,
      spec: { replicas: 3, serviceName: 'x', selector, template, ...spec },
      status,
    } as never;
    return ends(rolloutOf({ kind: 'statefulset', object } satisfies Workload, mark));
  };
  const moved = { observedGeneration: 3, updateRevision: 'x-2', currentRevision: 'x-1' };

  it.each([
    [
      'nobody has seen the change',
      { ...moved, observedGeneration: 2 },
      {},
      'its controller to see the change',
    ],
    ['one pod is new', { ...moved, updatedReplicas: 1 }, {}, '1 of 3 pods are new'],
    [
      'one is not available',
      { ...moved, updatedReplicas: 3, availableReplicas: 2 },
      {},
      '2 of 3 new pods to be available',
    ],
    [
      'the revision is not current yet',
      { ...moved, updatedReplicas: 3, availableReplicas: 3 },
      {},
      'its controller to finish the revision',
    ],
    [
      'all are new',
      { ...moved, currentRevision: 'x-2', updatedReplicas: 3, availableReplicas: 3 },
      {},
      'complete',
    ],
    ['it has no pods', { ...moved, currentRevision: 'x-2' }, { replicas: 0 }, 'complete'],
    [
      'a partition keeps pods',
      { ...moved, updatedReplicas: 1 },
      { updateStrategy: { rollingUpdate: { partition: 2 } } },
      'its partition 2 keeps pods as they are; set it to 0',
    ],
    [
      'pods are deleted by hand',
      { ...moved, updatedReplicas: 1 },
      { updateStrategy: { type: 'OnDelete' } },
      'its update strategy is OnDelete; delete the pods that it has',
    ],
    [
      'pods were deleted by hand',
      { ...moved, updatedReplicas: 3, availableReplicas: 3 },
      { updateStrategy: { type: 'OnDelete' } },
      'complete',
    ],
  ])('of which %s', (_, status, spec, expected) => {
    expect(look(status, spec)).toBe(expected);
  });
});

describe('a daemon set', () => {
  const look = (status: object, spec: object = {}): string => {
    const object = { metadata, spec: { selector, template, ...spec }, status } as never;
    return ends(rolloutOf({ kind: 'daemonset', object } satisfies Workload, mark));
  };
  const seen = { observedGeneration: 3, desiredNumberScheduled: 2 };

  it.each([
    ['one node has the new pod', { ...seen, updatedNumberScheduled: 1 }, {}, '1 of 2 pods are new'],
    [
      'one is not available',
      { ...seen, updatedNumberScheduled: 2, numberAvailable: 1 },
      {},
      '1 of 2 new pods to be available',
    ],
    ['all are new', { ...seen, updatedNumberScheduled: 2, numberAvailable: 2 }, {}, 'complete'],
    [
      'pods are deleted by hand',
      { ...seen, updatedNumberScheduled: 0 },
      { updateStrategy: { type: 'OnDelete' } },
      'its update strategy is OnDelete; delete the pods that it has',
    ],
  ])('of which %s', (_, status, spec, expected) => {
    expect(look(status, spec)).toBe(expected);
  });
});

describe('a workload', () => {
  it('whose pods were made for other keys is to be restarted, whatever its state', () => {
    const object = { metadata, spec: { selector, template: {}, paused: true }, status: {} } as never;
    expect(rolloutOf({ kind: 'deployment', object }, mark)).toEqual({ state: 'to-restart' });
  });

  it('knows its older pods by owner and mark, also those that are ending', () => {
    const pod = (name: string, kind: string, owner: string, value?: string, phase = 'Running'): V1Pod => ({
      metadata: {
        name,
        ownerReferences: [{ apiVersion: 'apps/v1', kind, name: owner, uid: 'u', controller: true }],
        ...(value === undefined ? {} : { annotations: { 'twinkey/keys': value } }),
      },
      status: { phase },
    });
    const pods = [
      pod('new', 'ReplicaSet', 'x-7f9c', 'speech=5'),
      pod('old', 'ReplicaSet', 'x-1a2b', 'speech=4'),
      pod('older', 'ReplicaSet', 'x-1a2b'),
      pod('done', 'ReplicaSet', 'x-1a2b', 'speech=4', 'Succeeded'),
      pod('another', 'ReplicaSet', 'x-y-1a2b', 'speech=4'),
      pod('stateful', 'StatefulSet', 'x', 'speech=4'),
      { metadata: { name: 'nobodys' } },
    ];
    expect(olderPods(pods, { kind: 'deployment', name: 'x' }, mark)).toEqual(['old', 'older']);
    expect(olderPods(pods, { kind: 'statefulset', name: 'x' }, mark)).toEqual(['stateful']);
  });
});

describe('a Secret', () => {
  const keys = [{ account: 'speech', generation: 5, fingerprint: undefined, key: () => 'key-5' }];
  const step = (found: object | undefined) =>
    nextSecretStep(found, 'keys', keys, new Map([['speech', 'api-key']]));
  const right = {
    data: { 'api-key': 'a2V5LTU=', other: 'x' },
    metadata: { resourceVersion: '7', annotations: { 'twinkey/generations': 'speech=5' } },
  };

  it('that is right is left alone', () => {
    expect(step(right)).toEqual({ do: 'keep' });
  });

  it('that somebody changed is changed back, under the version that was read', () => {
    expect(step({ ...right, data: { 'api-key': 'eA==' } })).toMatchObject({
      do: 'patch',
      body: { metadata: { resourceVersion: '7' }, data: { 'api-key': 'a2V5LTU=' } },
    });
  });

  it('that is immutable waits for people', () => {
    expect(step({ data: {}, immutable: true })).toMatchObject({ do: 'refuse', reason: /immutable/ });
  });

  it('marks pods with what fits into an annotation, one per Secret', () => {
    const long = (end: string) => markOf(`${'a'.repeat(80)}${end}`, keys).annotation;
    expect(markOf('keys', keys)).toEqual({ annotation: 'twinkey/keys', value: 'speech=5' });
    expect(long('b').length).toBe('twinkey/'.length + 63);
    expect(long('b')).not.toBe(long('c'));
  });

  it('of an installation that was set up anew marks them differently, though generations begin again', () => {
    const value = (fingerprint: string) =>
      markOf(
        'keys',
        keys.map((each) => ({ ...each, fingerprint })),
      ).value;
    expect(value('0123456789abcdef0123456789abcdef')).toBe('speech=5.0123456789ab');
  });
});

describe('on a command line', () => {
  it.each([
    ['deployment/web', { kind: 'deployment', name: 'web' }],
    ['sts/db-0.x', { kind: 'statefulset', name: 'db-0.x' }],
    ['ds/agent', { kind: 'daemonset', name: 'agent' }],
    ['pod/web', undefined],
    ['deployment/', undefined],
    ['web', undefined],
  ])('a workload is spelled %s', (text, ref) => {
    expect(workloadNamed(text)).toEqual(ref);
  });

  it.each([
    ['shop/keys', { namespace: 'shop', name: 'keys' }],
    ['keys', undefined],
    ['shop/', undefined],
    ['shop/keys/more', undefined],
    ['Shop/keys', undefined],
  ])('a Secret is spelled %s', (text, ref) => {
    expect(secretNamed(text)).toEqual(ref);
  });
});
