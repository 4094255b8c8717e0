// docs/reference/metrics.md, from the catalogue that the registries of the services are made of.
import { describeMetrics } from '../../libs/service/dist/metrics/catalogue.js';

const SERVICES = ['scheduler', 'rotator', 'notifier', 'console'];

export function metricsPage() {
  const all = describeMetrics();
  const shared = all.filter(({ of }) => of.length === SERVICES.length);
  return [
    '# Metrics',
    '',
    '<!-- Generated from libs/service/src/metrics/catalogue.ts by tools/docs/generate.mjs. -->',
    '',
    'Each service answers `GET /metrics` in the text format of Prometheus on its port of health and metrics: 10 above its',
    'own, or `TWINKEY_METRICS_PORT`. Nobody is asked for a token there, so the port is for the cluster only. No metric holds',
    'a key, a fingerprint, or the id of an instance or a rotation.',
    '',
    'Gauges are read from the tables when somebody scrapes, at most once in five seconds; all replicas of a service show',
    'the same, so take the `max` of them. Counters and histograms are those of one process: `sum` them.',
    '',
    '## Every service',
    '',
    ...shared.flatMap(describe),
    'The runtime adds its own: `process_cpu_seconds_total`, `process_resident_memory_bytes`,',
    '`nodejs_eventloop_lag_p99_seconds`, `nodejs_heap_size_used_bytes`, `nodejs_gc_duration_seconds` and others.',
    '',
    ...SERVICES.flatMap((service) => [
      `## ${service[0].toUpperCase()}${service.slice(1)}`,
      '',
      ...all.filter((metric) => !shared.includes(metric) && metric.of[0] === service).flatMap(describe),
    ]),
  ].join('\n');
}

function describe({ name, type, what, labels, of }) {
  const facts = [
    `${type[0].toUpperCase()}${type.slice(1)}.`,
    ...(of.length > 1 && of.length < SERVICES.length
      ? [`Also of the ${of.slice(1).join(' and the ')}.`]
      : []),
  ];
  return [
    `### \`${name}\``,
    '',
    `${what}. ${facts.join(' ')}`,
    '',
    ...Object.entries(labels).map(([label, values]) => `- \`${label}\`: ${valuesOf(values)}`),
    ...(Object.keys(labels).length === 0 ? [] : ['']),
  ];
}

function valuesOf(values) {
  return typeof values === 'string' ? values : values.map((value) => `\`${value}\``).join(', ');
}
