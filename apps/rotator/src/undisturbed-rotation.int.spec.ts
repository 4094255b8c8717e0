// A rotation in which nothing goes wrong, through the real SDKs: what it does, what it costs, how it shows.
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { hearSpans, rotationTrace, type EndedSpan } from '@twinkey/service';
import { until, type TestAzure } from '@twinkey/testing';
import { careOverAzure, WITHIN, type CareOverAzure } from './testing/care-over-azure.js';
import type { Care } from './testing/care.js';

jest.setTimeout(60_000);

/** However busy the machine is, no call is late and no lease is lost. */
const PATIENT = { leaseMs: 600_000, callDeadlineMs: 120_000 };

let azure: TestAzure;
let over: CareOverAzure;
let care: Care;
let plant: CareOverAzure['plant'];
let requests: CareOverAzure['requests'];
let cared: CareOverAzure['cared'];
let rotated: CareOverAzure['rotated'];

beforeAll(async () => {
  over = await careOverAzure(['usual', 'again'], PATIENT);
  ({ azure, care, plant, requests, cared, rotated } = over);
});
afterAll(() => over.stop());

describe('a rotation with nothing in its way', () => {
  it('goes through four steps with three calls that count as writes and one new secret version', async () => {
    await cared('usual');
    // The first look at rest, which learns both keys, is not the rotation's.
    await until(
      async () => Object.values((await care.ring('usual')).known).every((key) => key !== null),
      WITHIN,
    );
    plant('usual');
    await rotated('usual', await care.rotate('usual'));

    const told = (await care.told('usual')).map(({ what }) => what);
    expect(told.flatMap((what) => (what.event === 'step-done' ? [what.step] : []))).toEqual([
      'switch-to-key2',
      'regenerate-key1',
      'switch-to-key1',
      'regenerate-key2',
    ]);
    expect(told.at(-1)).toMatchObject({ event: 'completed', keysReplaced: 2 });
    expect(requests('usual', 'regenerateKey')).toBe(2);
    expect(requests('usual', 'listKeys')).toBe(1);
    expect(requests('usual', 'setSecret')).toBe(1);
    expect((await care.journalled('usual', 'Published')).map(({ generation }) => generation)).toEqual([1, 2]);
  });

  it('proves on the data plane that the new keys work and the old ones do not', async () => {
    const retired = await care.journalled('usual', 'KeyRetired');
    expect(retired.map(({ slot, proof }) => [slot, proof])).toEqual([
      ['key1', 'refused'],
      ['key2', 'refused'],
    ]);
    const uses = azure.control.ledger.entries().filter(({ account }) => account === 'usual');
    expect(uses.every(({ caller }) => caller.startsWith('twinkey-probe'))).toBe(true);
    const counts = uses.map(({ slot, outcome, count }) => [slot, outcome, count]);
    expect(counts).toContainEqual(['former', 'refused', 2]);
    expect(counts).toContainEqual(['key1', 'accepted', 1]);
  });

  it('shows in the metrics: what became of it, its steps, the age of its keys, and its calls to Azure', async () => {
    const { text } = (await care.rotators.at(-1)?.metrics.scrape()) ?? { text: '' };
    for (const line of [
      'twinkey_rotations_total{outcome="completed"} 1',
      'twinkey_keys_replaced_total 2',
      'twinkey_step_seconds_count{step="regenerate-key2"} 1',
      'twinkey_azure_calls_total{azure="resource-manager",operation="regenerate-key",outcome="done"} 2',
      'twinkey_drift_found_total{kind="vault-changed"} 0',
    ])
      expect(text.split('\n')).toContain(line);
    expect(text).toMatch(/^twinkey_key_age_seconds\{account="usual",slot="key1"\} \d/m);
    expect(text).toMatch(/^twinkey_published_age_seconds\{account="usual"\} \d/m);
    expect(text).toMatch(/operation="probe",outcome="done"\} \d/);
    expect(text).not.toMatch(/^twinkey_rotation_age_seconds\{/m);
  });

  it('is one trace: its looks, decisions, calls and commits, with the steps and itself as spans that are over', async () => {
    const spans: EndedSpan[] = [];
    const stop = await hearSpans('rotator', (ended) => void spans.push(ended));
    const rotationId = await care.rotate('usual');
    await rotated('usual', rotationId);
    const parentsAreThere = () => {
      const known = new Set(spans.map((each) => each.spanId));
      return spans.every(({ parentSpanId }) => parentSpanId === undefined || known.has(parentSpanId));
    };
    await until(() => spans.some(({ name }) => name === 'rotation') && parentsAreThere());
    await stop();

    const { traceId, spanId } = rotationTrace(rotationId);
    expect([...new Set(spans.map((each) => each.traceId))]).toEqual([traceId]);
    const names = spans.map(({ name }) => name);
    for (const name of [
      'look at account',
      'plan ask-switch',
      'plan regenerate',
      'resource-manager regenerate-key',
      'key-vault set-secret',
      'data-plane probe',
      'commit',
      'step switch-to-key2',
      'step regenerate-key2',
    ])
      expect(names).toContain(name);
    expect(spans.filter(({ name }) => name === 'rotation')).toMatchObject([
      { spanId, parentSpanId: undefined },
    ]);
    expect(parentsAreThere()).toBe(true);
    // No word is as long as a key or a token.
    expect(JSON.stringify(spans.map(({ name, attributes }) => [name, attributes]))).not.toMatch(
      /[\w+/=-]{40}/,
    );
  });

  it('names the keys that it will retire as soon as it is asked for, if the ring knows them', async () => {
    await cared('again');
    await rotated('again', await care.rotate('again'));
    await rotated('again', await care.rotate('again'));
    const requested = (await care.told('again')).flatMap(({ what }) =>
      what.event === 'requested' ? [what.retire] : [],
    );
    const retired = (await care.journalled('again', 'KeyRetired')).slice(2);
    expect(requested[0]).toHaveLength(1);
    expect(requested[1]).toEqual(
      retired
        .map(({ slot, fingerprint }) => ({ slot, fingerprint }))
        .toSorted((a, b) => (a.slot < b.slot ? -1 : 1)),
    );
  });
});
