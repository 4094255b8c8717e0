// Alerts, runbooks and dashboards: that their queries can be read, that what they name exists, and, where promtool is
// installed, that every alert fires where it should and not where it should not.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parser as promql } from '@prometheus-io/lezer-promql';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { root } from './repository.js';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook: string };
}
interface Rules {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
}
interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string }[];
}
interface Dashboard {
  readonly uid: string;
  readonly templating: { readonly list: readonly { readonly query: string }[] };
  readonly panels: readonly Panel[];
}

const FOLDER = 'deploy/monitoring';
const read = (path: string) => readFileSync(root + path, 'utf8');
const rulesText = read(`${FOLDER}/rules.yaml`);
const ours = rulesIn(parse(rulesText) as Rules);
const availability = parse(read('deploy/kubernetes/components/monitoring/availability.yaml')) as {
  spec: Rules;
};
const alerts = [...ours, ...rulesIn(availability.spec)];
const dashboards = readdirSync(`${root}${FOLDER}/dashboards`).map((file): [string, Dashboard] => [
  file,
  JSON.parse(read(`${FOLDER}/dashboards/${file}`)) as Dashboard,
]);
const runbooks = readdirSync(`${root}docs/runbooks`).filter((file) => file !== 'README.md');

function rulesIn({ groups }: Rules): readonly Rule[] {
  return groups.flatMap(({ rules }) => rules);
}

/** The metrics of the reference, which is generated from the catalogue that the services register. */
const catalogue = new Set(
  [...read('docs/reference/metrics.md').matchAll(/`((?:twinkey|process|nodejs)_[a-z0-9_]+)`/g)].map(
    ([, name]) => name,
  ),
);

/** What is wrong with a query: that it cannot be read, or names what no service has. */
function problemsOf(query: string): string[] {
  const problems: string[] = [];
  promql.parse(query).iterate({
    enter: ({ type, from, to }) => {
      if (type.isError) problems.push(`cannot be read at ${from}: ${query}`);
      if (type.name !== 'Identifier' || /^kube_/.test(query.slice(from, to))) return;
      const name = query.slice(from, to);
      if (!catalogue.has(name) && !catalogue.has(name.replace(/_(bucket|sum|count)$/, '')))
        problems.push(`no such metric: ${name}`);
    },
  });
  return problems;
}

/** Grafana puts values in place of its variables before anybody reads the query. */
const withoutVariables = (query: string) => query.replaceAll(/\$\{?\w+\}?/g, 'x');

const isHere = spawnSync('promtool', ['--version']).error === undefined;
if (!isHere)
  console.warn('promtool is not here: whether the alerts fire where they should is not looked at.');

/** What promtool has to say against it. */
function complaints(...words: string[]): string {
  const { status, stdout, stderr } = spawnSync('promtool', words, { encoding: 'utf8', cwd: root });
  return status === 0 ? '' : stdout + stderr;
}

describe('the alerts', () => {
  it('can be read and name metrics that exist', () => {
    expect(alerts.flatMap(({ expr }) => problemsOf(expr))).toEqual([]);
    expect(problemsOf('rate(twinkey_rotations_total[5m)')).not.toEqual([]);
    expect(problemsOf('twinkey_rotation_total > 0')).toEqual(['no such metric: twinkey_rotation_total']);
  });

  it('are called by names of their own, with a severity and sentences for people', () => {
    expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
    for (const { alert, labels, annotations } of alerts) {
      expect(alert).toMatch(/^Twinkey[A-Z]/);
      expect(['critical', 'warning', 'info']).toContain(labels.severity);
      for (const sentence of [annotations.summary, annotations.description]) expect(sentence).toMatch(/\.$/);
    }
  });

  it('are the same for the Prometheus operator', () => {
    const [, groups = ''] = /^groups:\n(.*)$/ms.exec(rulesText) ?? [];
    const wanted = [
      '# Follows from rules.yaml: UPDATE_REFERENCE=1 node tools/nx.mjs test @twinkey/deploy',
      'apiVersion: monitoring.coreos.com/v1',
      'kind: PrometheusRule',
      'metadata:',
      '  name: twinkey',
      'spec:',
      '  groups:',
      groups.replaceAll(/^(?=.)/gm, '  '),
    ].join('\n');
    const path = `${FOLDER}/prometheus-rule.yaml`;
    if (process.env['UPDATE_REFERENCE'] === '1') writeFileSync(root + path, wanted);
    expect(read(path)).toBe(wanted);
  });

  it('have a story each in which they fire, and one in which they do not', () => {
    const { tests } = parse(read(`${FOLDER}/rules.test.yaml`)) as { tests: { name: string }[] };
    for (const { alert } of ours)
      expect(tests.filter(({ name }) => name.startsWith(`${alert}: `)).length).toBeGreaterThanOrEqual(2);
  });

  (isHere ? it : it.skip)('do in these stories what they should, as promtool sees it', () => {
    expect(complaints('check', 'rules', `${FOLDER}/rules.yaml`)).toBe('');
    expect(complaints('check', 'config', '--syntax-only', `${FOLDER}/prometheus.yml`)).toBe('');
    expect(complaints('test', 'rules', `${FOLDER}/rules.test.yaml`)).toBe('');
  });
});

describe('a runbook', () => {
  it('is there for every alert, and every one is some alert’s', () => {
    const named = alerts.map(({ annotations }) => annotations.runbook);
    expect([...new Set(named)].toSorted()).toEqual(
      runbooks.map((file) => `docs/runbooks/${file}`).toSorted(),
    );
    for (const { alert, annotations } of alerts) expect(read(annotations.runbook)).toContain(`\`${alert}\``);
    const list = read('docs/runbooks/README.md');
    for (const file of runbooks) expect(list).toContain(`(${file})`);
  });

  it.each(runbooks)('names commands that exist: %s', (file) => {
    const known = [...read('docs/reference/cli.md').matchAll(/^### `twinkey ([a-z ]+[a-z])/gm)].map(
      ([, words = '']) => words,
    );
    const asked = [...read(`docs/runbooks/${file}`).matchAll(/\btwinkey ((?:[a-z]+ ?)+)/g)].map(
      ([, words = '']) => words.trim(),
    );
    const commands = asked.filter((words) =>
      known.some((each) => words === each || words.startsWith(`${each} `)),
    );
    expect(commands.length).toBeGreaterThanOrEqual(1);
    const inBlocks = [...read(`docs/runbooks/${file}`).matchAll(/^ *twinkey ([a-z]+(?: [a-z]+)?)/gm)];
    for (const [line, words = ''] of inBlocks)
      expect([line, known.some((each) => words === each || each === words.split(' ')[0])]).toEqual([
        line,
        true,
      ]);
  });

  it.each([...runbooks, 'README.md'])('links to pages that are there: %s', (file) => {
    for (const [, link = ''] of read(`docs/runbooks/${file}`).matchAll(/\]\(([^)#]+)\)/g))
      expect(() => read(`docs/runbooks/${link}`)).not.toThrow();
  });
});

describe.each(dashboards)('the dashboard %s', (file, { uid, panels, templating }) => {
  it('asks what can be read, of metrics that exist, from the Prometheus that one chooses', () => {
    expect(file).toBe(`${uid}.json`);
    const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => withoutVariables(expr)));
    expect(queries.length).toBeGreaterThan(5);
    expect(queries.flatMap(problemsOf)).toEqual([]);
    for (const [, name] of JSON.stringify(templating).matchAll(/label_values\((\w+)/g))
      expect(catalogue).toContain(name);
    expect(read(`${FOLDER}/dashboards/${file}`)).not.toMatch(/"uid": "(?!\$\{datasource\}|twinkey-)/);
  });

  it('says of every panel what it shows, and puts none over another', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const panel of panels.filter(({ type }) => type !== 'row'))
      expect(panel.description).toMatch(/\.$|twinkey /);
    const taken = new Set<string>();
    for (const { title, gridPos } of panels) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect([title, taken.has(`${x},${y}`)]).toEqual([title, false]);
          taken.add(`${x},${y}`);
        }
    }
  });
});
