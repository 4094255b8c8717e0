// Names on a command line, without the client of Kubernetes, which takes a second to load.
import type { Kind, WorkloadRef } from './rollout.js';

/** `deploy/web`, `statefulset/db`; undefined: no such kind, or no name. */
export function workloadNamed(text: string): WorkloadRef | undefined {
  const [, kind = '', name] = /^([a-z]+)\/([a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?)$/.exec(text) ?? [];
  const known = SPELLINGS[kind];
  return known === undefined || name === undefined ? undefined : { kind: known, name };
}

const SPELLINGS: Readonly<Record<string, Kind>> = {
  deployment: 'deployment',
  deployments: 'deployment',
  deploy: 'deployment',
  statefulset: 'statefulset',
  statefulsets: 'statefulset',
  sts: 'statefulset',
  daemonset: 'daemonset',
  daemonsets: 'daemonset',
  ds: 'daemonset',
};

/** `shop/keys`; undefined: not a namespace and a name. */
export function secretNamed(text: string): { readonly namespace: string; readonly name: string } | undefined {
  const [, namespace, name] =
    /^([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)\/([a-z0-9](?:[-.a-z0-9]{0,251}[a-z0-9])?)$/.exec(text) ?? [];
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}
