import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ServiceHealth } from '../health.js';
import { ConfigurationError } from '@twinkey/settings';
import type { ServiceName } from '@twinkey/settings';
import type { PrometheusMetrics } from './prometheus.js';

export interface MetricsServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Health and metrics on a port of their own, where nobody is asked for a token: whoever can reach it learns names of
 * accounts and how twinkey does, and can change nothing. Keep the port inside the cluster.
 */
export async function openMetricsServer(
  { health, metrics }: { readonly health: ServiceHealth; readonly metrics: PrometheusMetrics },
  { host, port, service }: { readonly host: string; readonly port: number; readonly service: ServiceName },
): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    const answer = request.method === 'GET' || request.method === 'HEAD' ? path : undefined;
    answerTo(answer, response, health, metrics).catch(() => {
      response.destroy();
    });
  });
  await listen(server, host, port).catch((error: unknown) => {
    throw (error as NodeJS.ErrnoException).code === 'EADDRINUSE' ? taken(service, port) : error;
  });
  server.unref(); // it is no reason for a process to go on
  const address = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

async function answerTo(
  path: string | undefined,
  response: ServerResponse,
  health: ServiceHealth,
  metrics: PrometheusMetrics,
): Promise<void> {
  const json = (status: number, body: object) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  switch (path) {
    case '/health/live':
      json(200, { status: 'alive' });
      return;
    case '/health/ready': {
      const readiness = await health.readiness();
      json(readiness.status === 'ready' ? 200 : 503, readiness);
      return;
    }
    case '/metrics': {
      const { type, text } = await metrics.scrape();
      response.writeHead(200, { 'content-type': type }).end(text);
      return;
    }
    default:
      json(404, { status: 404, detail: 'There are /health/live, /health/ready and /metrics, for GET.' });
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function taken(service: ServiceName, port: number): ConfigurationError {
  const problem = `must name a port that is free: another program has ${port}.`;
  return new ConfigurationError(service, [{ name: 'TWINKEY_METRICS_PORT', problem, example: '9464' }]);
}
