import type { Incoming, Reply } from '../host/plugin.js';

/** Where the vault says it is. */
export const location = 'westeurope';

/** The reply with the headers that the service puts on every answer, whoever caused it. */
export function served(reply: Reply, requestId: string, request?: Incoming): Reply {
  const asked = request?.headers['x-ms-client-request-id'];
  return {
    ...reply,
    headers: {
      'cache-control': 'no-cache',
      pragma: 'no-cache',
      expires: '-1',
      'x-content-type-options': 'nosniff',
      'x-ms-keyvault-region': location,
      'x-ms-keyvault-service-version': '1.9.2600.1',
      'x-ms-keyvault-network-info': 'conn_type=Ipv4;addr=127.0.0.1;act_addr_fam=InterNetwork;',
      'x-ms-request-id': requestId,
      ...(typeof asked === 'string' ? { 'x-ms-client-request-id': asked } : {}),
      ...reply.headers,
    },
  };
}
