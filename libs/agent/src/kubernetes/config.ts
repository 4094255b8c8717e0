import { existsSync } from 'node:fs';
import { KubeConfig } from '@kubernetes/client-node';
import { Refused } from '../target.js';

const SERVICE_ACCOUNT_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/**
 * KUBECONFIG if it is set; in a pod the pod's own service account; else ~/.kube/config. `root` stands before the paths of
 * the service account. A Refused when there is no cluster to be found: the client itself would try localhost.
 */
export function findCluster(
  env: Readonly<Record<string, string | undefined>> = process.env,
  root = '',
): KubeConfig {
  const config = new KubeConfig();
  const isInPod = !!env['KUBERNETES_SERVICE_HOST'] && existsSync(`${root}${SERVICE_ACCOUNT_TOKEN}`);
  try {
    if (!env['KUBECONFIG'] && isInPod) config.loadFromCluster(root);
    else config.loadFromDefault();
  } catch (error) {
    throw new Refused('the kubeconfig cannot be read', { cause: error });
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null || cluster.server === 'http://localhost:8080') {
    throw new Refused('no cluster is named: set KUBECONFIG, or run in a pod with a service account');
  }
  if (cluster.server.startsWith('http:') && !cluster.skipTLSVerify) {
    throw new Refused(
      'the cluster is named with http:, which needs insecure-skip-tls-verify in the kubeconfig',
    );
  }
  return config;
}
