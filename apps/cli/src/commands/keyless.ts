import type { Keyless } from '../answers.js';
import { EXIT } from '../exit-codes.js';
import { Failure } from '../failure.js';
import { duration, relative } from '../moments.js';
import { printList, type Screen } from '../screen.js';
import { table } from '../table.js';
import type { Session } from './session.js';

export interface KeylessOptions {
  /** In milliseconds. */
  readonly quietFor?: number;
  readonly disable?: boolean;
}

/**
 * `twinkey keyless <account>`: who still shows keys. The keys are never switched off from here: that is a write to the
 * account, and no identity of twinkey has a right to write accounts. One that had it could do more harm than a leaked
 * key, and it would be needed once in the life of an account. So the command is printed for a person who has the right.
 */
export async function keyless(
  { client, screen }: Session,
  account: string,
  { quietFor, disable = false }: KeylessOptions,
): Promise<void> {
  const query = quietFor === undefined ? '' : `?quietSeconds=${Math.ceil(quietFor / 1000)}`;
  const path = `/v1/accounts/${encodeURIComponent(account)}/keyless${query}`;
  const answer = await client.get<Keyless>(path);
  const isSafe = answer.verdict === 'safe';
  if (disable && isSafe) {
    screen.talk('twinkey has no right to write accounts; run this with an identity that may:');
    screen.data(switchOff(answer));
    return;
  }
  if (!disable) show(screen, answer);
  if (!isSafe) throw notSafe(answer, disable);
}

function show(screen: Screen, answer: Keyless): void {
  const { account, verdict, quietSeconds } = answer;
  printList(screen, answer.consumers, {
    whole: answer,
    name: ({ consumer }) => consumer,
    table: () => [
      ...(answer.consumers.length === 0 ? [] : [...consumerTable(screen, answer), '']),
      ...reasons(answer),
      ...(verdict === 'safe'
        ? [
            `Nobody has shown a key of ${account} for ${duration(quietSeconds)}. This switches them off, within minutes:`,
            `  ${switchOff(answer)}`,
            'and the same with false switches them on again.',
          ]
        : []),
    ],
  });
}

function consumerTable(screen: Screen, { consumers }: Keyless): string[] {
  return table(
    ['CONSUMER', 'VERDICT', 'LIVE', 'KEYS', 'TOKENS', 'ENTRA', 'BARE', 'LAST KEY', 'LAST SEEN'],
    consumers.map(({ consumer, verdict, live, used, shownAt, lastSeenAt }) => [
      consumer,
      paintVerdict(screen, verdict),
      String(live),
      ...(used === null
        ? ['?', '?', '?', '?']
        : [String(used.key), String(used.token), String(used.entra), used.bare ? 'yes' : 'no']),
      relative(shownAt),
      relative(lastSeenAt),
    ]),
  );
}

function paintVerdict({ paint }: Screen, verdict: Keyless['verdict']): string {
  return { safe: paint.green, unsafe: paint.red, unknown: paint.yellow }[verdict](verdict);
}

function reasons(answer: Keyless): string[] {
  return [
    ...answer.reasons,
    ...answer.consumers.flatMap(({ consumer, reasons: own }) =>
      own.map((reason) => `${consumer}: ${reason}`),
    ),
  ];
}

/** The one property of the account that decides it, set by the generic command: `cognitiveservices` has none for it. */
function switchOff({ accountId }: Keyless): string {
  return `az resource update --ids ${accountId} --set properties.disableLocalAuth=true`;
}

function notSafe(answer: Keyless, disable: boolean): Failure {
  const { account, verdict, consumers, quietSeconds } = answer;
  const who = consumers.filter((one) => one.verdict === verdict).map(({ consumer }) => consumer);
  const isKnown = verdict === 'unsafe';
  return new Failure(EXIT.unsafe, {
    what: disable
      ? `The command that switches off the keys of ${account} is not given.`
      : `The keys of ${account} must stay.`,
    why: isKnown
      ? `${who.join(', ')} showed a key within ${duration(quietSeconds)}, or was handed one.`
      : (reasons(answer)[0] ?? 'It is not known who shows keys.'),
    state: 'Nothing was changed; both keys keep working.',
    remedy: isKnown
      ? 'Let them call with Entra, wait for the quiet time, then ask again.'
      : 'See who is meant with: twinkey keyless <account>; start them, or withdraw what is gone, then ask again.',
  });
}
