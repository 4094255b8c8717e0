import { spawnSync } from 'node:child_process';
import { AccountId } from '@twinkey/contracts';
import { describe, expect, it, jest } from '@jest/globals';
import { accountLabels } from './account-labels.js';
import { describeMetrics } from './catalogue.js';
import type { Reading, Sample } from './metrics.js';
import { PrometheusMetrics } from './prometheus.js';

const SERVICES = ['scheduler', 'rotator', 'notifier', 'console'] as const;

const pending = (account: string, value: number): Sample => ({
  gauge: 'twinkey_pending_acknowledgements',
  labels: { account },
  value,
});

function readingOf(read: Reading['read']): Reading {
  return { name: 'spec', gauges: ['twinkey_pending_acknowledgements'], read };
}

async function linesOf(metrics: PrometheusMetrics): Promise<string[]> {
  return (await metrics.scrape()).text.split('\n');
}

describe('a fact of the tables', () => {
  it('is read when somebody scrapes, and not once more for the next who does', async () => {
    const metrics = new PrometheusMetrics('notifier');
    const read = jest.fn(() => Promise.resolve([pending('speech', 2)]));
    metrics.readAtScrapes([readingOf(read)]);
    expect(read).not.toHaveBeenCalled();
    const scrapes = [await linesOf(metrics), ...(await Promise.all([linesOf(metrics), linesOf(metrics)]))];
    for (const lines of scrapes)
      expect(lines).toContain('twinkey_pending_acknowledgements{account="speech"} 2');
    expect(read).toHaveBeenCalledTimes(1);
  });

  it('is left out and counted when it cannot be read, or not in time', async () => {
    jest.useFakeTimers({ doNotFake: ['performance', 'setImmediate', 'nextTick'] });
    try {
      const metrics = new PrometheusMetrics('notifier');
      metrics.readAtScrapes([
        readingOf(() => Promise.reject(new Error('no database'))),
        {
          name: 'slow',
          gauges: ['twinkey_outbox_waiting_messages'],
          read: () => new Promise(() => undefined),
        },
      ]);
      const scraped = linesOf(metrics);
      await jest.advanceTimersByTimeAsync(2_000);
      const lines = await scraped;
      expect(lines).toContain('twinkey_scrape_failures_total{reading="spec"} 1');
      expect(lines).toContain('twinkey_scrape_failures_total{reading="slow"} 1');
      expect(lines.filter((line) => /^twinkey_(pending|outbox)/.test(line))).toEqual([]);
    } finally {
      jest.useRealTimers();
    }
  });

  it('of an account that is gone is gone, too', async () => {
    const metrics = new PrometheusMetrics('notifier');
    let all = [pending('speech', 0), pending('vision', 0)];
    let now = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => now);
    metrics.readAtScrapes([readingOf(() => Promise.resolve(all))]);
    await metrics.scrape();
    all = [pending('speech', 0)];
    now += 5_000;
    const lines = await linesOf(metrics);
    jest.restoreAllMocks();
    expect(lines.filter((line) => line.startsWith('twinkey_pending_acknowledgements{'))).toHaveLength(1);
  });
});

describe('what is counted', () => {
  it('begins with 0 where its labels are known, so that the first event is a rise', async () => {
    const lines = await linesOf(new PrometheusMetrics('rotator'));
    expect(lines).toContain('twinkey_rotations_total{outcome="halted"} 0');
    expect(lines).toContain('twinkey_gates_forced_total 0');
  });

  it('is kept by the services that have it, and by no other', async () => {
    const metrics = new PrometheusMetrics('console');
    metrics.count('twinkey_rotations_total', { outcome: 'halted' });
    expect((await metrics.scrape()).text).not.toContain('twinkey_rotations_total');
  });
});

describe('the catalogue', () => {
  it('names metrics as Prometheus wants them', () => {
    for (const { name, type, what, labels } of describeMetrics()) {
      expect(name).toMatch(/^twinkey_[a-z_]+$/);
      expect(name.endsWith('_total')).toBe(type === 'counter');
      if (type === 'histogram') expect(name).toMatch(/_seconds$/);
      expect(what).not.toMatch(/\.$/);
      for (const label of Object.keys(labels)) expect(label).not.toMatch(/instance|rotation|key$|trace/);
    }
  });

  it('stands up to promtool, where there is one', async () => {
    const metrics = SERVICES.map((service) => new PrometheusMetrics(service));
    metrics.forEach((each) => {
      each.observe('twinkey_message_handling_seconds', { type: 'other' }, 0.1);
    });
    for (const each of metrics) {
      const { text } = await each.scrape();
      const ours = text
        .split('\n')
        .filter((line) => line.includes('twinkey_'))
        .join('\n');
      const checked = spawnSync('promtool', ['check', 'metrics'], { input: `${ours}\n`, encoding: 'utf8' });
      if (checked.error !== undefined) {
        console.warn('Skipped: promtool is not installed.');
        return;
      }
      expect(checked.stdout + checked.stderr).toBe('');
    }
  });
});

describe('accounts in labels', () => {
  it('go by their names, and by their resource groups as well where a name is no name', () => {
    const [a, b, c] = ['rg-1/speech', 'rg-2/speech', 'rg-1/vision'].map((path) => {
      const [group = '', name = ''] = path.split('/');
      return AccountId.parse(
        `/subscriptions/s/resourceGroups/${group}/providers/Microsoft.CognitiveServices/accounts/${name}`,
      );
    }) as [AccountId, AccountId, AccountId];
    expect([...accountLabels([a, b, c]).values()]).toEqual(['rg-1/speech', 'rg-2/speech', 'vision']);
  });
});
