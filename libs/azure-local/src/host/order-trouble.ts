import type { ServiceBusFaults } from '../service-bus/server.js';

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
      faults.refuseConnections(fields['on'] !== false);
      return undefined;
    case 'clear':
      faults.clear();
      return undefined;
  }
  if (entity === undefined) return 'entity: the path of a queue, topic or subscription.';
  const [condition, description] = [text('condition'), text('description')];
  switch (order) {
    case 'delay-next':
      faults.delayNext(entity, number('ms') ?? 1_000, count);
      return undefined;
    case 'fail-next':
      faults.failNext(entity, {
        count,
        ...(condition === undefined ? {} : { condition }),
        ...(description === undefined ? {} : { description }),
      });
      return undefined;
    case 'lose-next-answer':
      faults.loseNextAnswer(entity, count);
      return undefined;
    case 'detach-links':
      faults.detachLinks(entity, condition ?? 'amqp:internal-error', description);
      return undefined;
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
