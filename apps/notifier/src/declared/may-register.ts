import { accountName, isReceiver, type AccountId, type ConsumerName } from '@twinkey/contracts';
import { HttpProblem } from '@twinkey/service';
import { declarationOf } from '../sql/declare-consumer.js';
import type { Queries } from '../tables.js';

/** Refuses instances that the declarations do not allow, and says which line would allow them. */
export async function assertMayRegister(
  db: Queries,
  consumer: ConsumerName,
  accounts: readonly AccountId[],
): Promise<void> {
  const declaration = await declarationOf(db, consumer);
  if (declaration === null) {
    await assertOpenForUndeclared(db, consumer, accounts);
    return;
  }
  if (isReceiver(declaration.channel)) {
    throw new HttpProblem(
      403,
      'declared-as-receiver',
      `"${consumer}" is declared with a ${declaration.channel.kind} and has no instances. Register under another name, or declare it with the channel instances.`,
    );
  }
  const others = accounts.filter((account) => !declaration.accounts.includes(account));
  if (others.length > 0) throw accountNotDeclared(consumer, others, declaration.accounts);
}

async function assertOpenForUndeclared(
  db: Queries,
  consumer: ConsumerName,
  accounts: readonly AccountId[],
): Promise<void> {
  const closed = await db
    .selectFrom('account')
    .select('account')
    .where('account', 'in', accounts)
    .where('only_declared', '=', true)
    .execute();
  if (closed.length === 0) return;
  throw new HttpProblem(
    403,
    'consumer-not-declared',
    `"${consumer}" is not declared, and ${names(closed.map(({ account }) => account))} may be used by declared consumers only. Declare it: consumers.${consumer} in twinkey.yaml, or "twinkey consumers declare ${consumer}".`,
  );
}

/** The consumer was declared, and not for that account. */
export function accountNotDeclared(
  consumer: ConsumerName,
  accounts: readonly AccountId[],
  declared: readonly AccountId[],
): HttpProblem {
  const known = declared.length === 0 ? 'no account' : names(declared);
  return new HttpProblem(
    403,
    'account-not-declared',
    `"${consumer}" is declared for ${known}, not for ${names(accounts)}. Add the account to its declaration, or leave it out.`,
  );
}

function names(accounts: readonly AccountId[]): string {
  return accounts.map((account) => accountName(account)).join(', ');
}
