import type { BusEffect, ServiceBusFaults } from '../service-bus/server.js';

/** Hands an order to the bus; answers what is wrong with it, or nothing. */
export function orderTrouble(
  faults: ServiceBusFaults,
  order: string,
  fields: Readonly<Record<string, unknown>>,
): string | undefined {
  const text = (name: string) => (typeof fields[name] === 'string' ? fields[name] : undefined);
  const number = (name: string) => (typeof fields[name] === 'number' ? fields[name] : undefined);
  const entity = text('entity');
  const count = number('count') ?? 1;
  switch (order) {
    case 'drop-connections':
      faults.dropConnections();
      return undefined;
    case 'refuse-connections':
      if (fields['on'] === false) faults.remove();
      else faults.add({ count: 'unlimited', effect: { kind: 'outage' } });
      return undefined;
    case 'clear':
      faults.remove();
      return undefined;
  }
  if (entity === undefined) return 'entity: the path of a queue, topic or subscription.';
  const description = text('description');
  const condition = text('condition') ?? 'com.microsoft:server-busy';
  const error = { condition, ...(description === undefined ? {} : { description }) };
  const changes = ['send', 'settle', 'manage'] as const;
  const plant = (effect: BusEffect) => {
    for (const operation of changes) faults.add({ operation, target: entity, count, effect });
    return undefined;
  };
  switch (order) {
    case 'delay-next':
      return plant({ kind: 'delay', ms: number('ms') ?? 1_000 });
    case 'fail-next':
      return plant({ kind: 'error', ...error });
    case 'lose-next-answer':
      return plant({ kind: 'drop-after-effect' });
    case 'detach-links':
      return plant({ kind: 'detach', ...error });
    case 'expire-locks':
      faults.expireLocks(entity);
      return undefined;
    default:
      return (
        'One of drop-connections, refuse-connections, delay-next, fail-next, lose-next-answer, detach-links, ' +
        'expire-locks, clear.'
      );
  }
}
