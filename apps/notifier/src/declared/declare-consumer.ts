import { appendJournal, rememberMessage } from '@twinkey/journal';
import { theOneThatCounts, type SaidOfConsumer } from '@twinkey/contracts';
import type { Shell } from '../shell.js';
import { declarationsOf, expectConsumer, lockConsumer, saveDeclaration } from '../sql/declare-consumer.js';
import { databaseTime } from '../sql/load-instances.js';
import { nudge } from '../sql/nudge.js';
import { durableFor, ensureDurable, keepDurable } from './durable-subscriptions.js';
import { keepStandingInstance } from './standing-instance.js';

/**
 * Keeps what the file or the API said about a consumer and makes it true: its accounts wait for it, a receiver stands
 * in the registry and has its subscription. What is said again is made true again, for somebody may have removed the
 * subscription meanwhile.
 */
export async function declareConsumer(shell: Shell, said: SaidOfConsumer, messageId: string): Promise<void> {
  const { consumer, source, by } = said;
  const expected = theOneThatCounts([...(await declarationsOf(shell.db, consumer)), said]);
  // Before the standing instance is waited for: what is announced from then on arrives.
  await ensureDurable(shell, durableFor(expected?.declaration ?? null, shell.shards));

  const accounts = await shell.db.transaction().execute(async (trx) => {
    if (!(await rememberMessage(trx, 'registry-event', messageId))) return [];
    const before = await lockConsumer(trx, consumer);
    if (!(await saveDeclaration(trx, said))) return [];
    const counts = theOneThatCounts(await declarationsOf(trx, consumer));
    const declaration = counts?.declaration ?? null;
    const at = await databaseTime(trx);
    await expectConsumer(trx, consumer, counts);
    const left = await keepStandingInstance(trx, consumer, declaration, at);
    await keepDurable(trx, consumer, durableFor(declaration, shell.shards));
    if (JSON.stringify(before) !== JSON.stringify(declaration)) {
      const type = declaration === null ? 'consumer-withdrawn' : 'consumer-declared';
      const data = { consumer, source, by, declaration };
      await appendJournal(trx, `consumer ${consumer}`, [{ type, data, at: new Date(at) }]);
      shell.log.info({ consumer, source, by, accounts: declaration?.accounts }, SENTENCES[type]);
    }
    const concerned = [...new Set([...(before?.accounts ?? []), ...(declaration?.accounts ?? []), ...left])];
    await nudge(trx, concerned);
    return concerned;
  });
  accounts.forEach(shell.lookSoon);
}

const SENTENCES = {
  'consumer-declared': 'A consumer was declared',
  'consumer-withdrawn': 'A consumer is not declared any more',
} as const;
