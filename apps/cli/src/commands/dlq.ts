import type { DeadLetter, DeadLettersReplayed } from '../answers.js';
import { EXIT } from '../exit-codes.js';
import { Failure } from '../failure.js';
import { relative } from '../moments.js';
import { printList } from '../screen.js';
import { usageFailure } from '../settings.js';
import { table } from '../table.js';
import { askedBy, type Session } from './session.js';

export async function listDeadLetters({ client, screen }: Session): Promise<void> {
  const answer = await client.get<{ deadLetters: DeadLetter[] }>('/v1/dead-letters');
  if (answer.deadLetters.length === 0) screen.talk('No dead letters.');
  printList(screen, answer.deadLetters, {
    whole: answer,
    name: ({ entity, sequenceNumber }) => `${entity}/${sequenceNumber}`,
    table: () =>
      answer.deadLetters.length === 0
        ? []
        : table(
            ['ENTITY', 'NUMBER', 'ACCOUNT', 'TYPE', 'REASON', 'DELIVERIES', 'ENQUEUED', 'DESCRIPTION'],
            answer.deadLetters.map((letter) => [
              letter.entity,
              letter.sequenceNumber,
              letter.account ?? '-',
              shortType(letter.type),
              letter.reason ?? '-',
              String(letter.deliveryCount),
              relative(letter.enqueuedAt),
              letter.description ?? '-',
            ]),
          ),
  });
}

export async function replayDeadLetters(
  { client, screen }: Session,
  entity: string,
  sequenceNumbers: readonly string[],
  { all }: { all?: boolean },
): Promise<void> {
  if ((all ?? false) === sequenceNumbers.length > 0) {
    throw usageFailure(
      'It is not clear which dead letters to replay.',
      'Give their numbers, or --all, and not both.',
      'See the numbers with: twinkey dlq list',
    );
  }
  const body = { by: askedBy(), entity, ...(all ? { all: true } : { sequenceNumbers }) };
  const answer = await client.post<DeadLettersReplayed>('/v1/dead-letters/replay', body);
  printList(screen, answer.messages, {
    whole: answer,
    name: ({ sequenceNumber }) => `${entity}/${sequenceNumber}`,
    table: () =>
      table(
        ['NUMBER', 'MESSAGE', 'OUTCOME'],
        answer.messages.map(({ sequenceNumber, id, outcome }) => [sequenceNumber, id, outcome]),
      ),
  });
  const missing = answer.messages.filter(({ outcome }) => outcome === 'not-found');
  if (missing.length === 0) return;
  throw new Failure(EXIT.notFound, {
    what: `${missing.length} of ${answer.messages.length} dead letters of ${entity} are not there.`,
    why: 'They were replayed or removed in the meantime, or are locked by someone who replays them now.',
    state: 'The others were sent again.',
    remedy: 'See what is left with: twinkey dlq list',
  });
}

/** `com.twinkey.rotation.due.v1` is `rotation.due` to people. */
function shortType(type: string | null): string {
  return type?.replace(/^com\.twinkey\.(.*)\.v\d+$/, '$1') ?? '-';
}
