import type { Status } from '../answers.js';
import { relative } from '../moments.js';
import { paintState, printList, type Screen } from '../screen.js';
import { table } from '../table.js';
import type { Session } from './session.js';

export async function status({ client, screen }: Session): Promise<void> {
  const answer = await client.get<Status>('/v1/status');
  printList(screen, answer.attention, {
    whole: answer,
    name: ({ rotation, account }) => rotation ?? account,
    table: () => lines(answer, screen),
  });
}

function lines({ at, accounts, attention, services }: Status, screen: Screen): string[] {
  const now = Date.parse(at);
  const { total, ...byState } = accounts;
  const counts = Object.entries(byState)
    .filter(([state, count]) => count > 0 || state === 'healthy')
    .map(([state, count]) => `${count} ${paintState(screen, state)}`);
  const servicesLine = services.map(({ service, alive, lastSeenAt }) => {
    if (alive === null) return `${service} ${screen.paint.dim('unknown')}`;
    if (alive) return `${service} ${screen.paint.green('alive')}`;
    return `${service} ${screen.paint.red(`silent, last seen ${relative(lastSeenAt, now)}`)}`;
  });
  const urgent = table(
    ['ACCOUNT', 'ROTATION', 'STATE', 'SINCE', 'WHY'],
    attention.map((item) => [
      item.account,
      item.rotation ?? '-',
      paintState(screen, item.state),
      relative(item.since, now),
      item.until === null ? item.detail : `${item.detail} (deadline ${relative(item.until, now)})`,
    ]),
  );
  return [
    [`${total} accounts`, ...counts].join('   '),
    servicesLine.join('   '),
    ...(attention.length === 0 ? [] : ['', ...urgent]),
  ];
}
