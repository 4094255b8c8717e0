import { AccountId } from '@twinkey/contracts';
import type { Queries } from '../tables.js';

export type FoundAccounts =
  | { readonly found: readonly AccountId[] }
  | { readonly unknown: string; readonly known: number }
  | { readonly ambiguous: string; readonly candidates: readonly AccountId[] };

/** Accounts under care by name or ARM id. All of them, or the first that cannot be told. */
export async function findAccounts(db: Queries, asked: readonly string[]): Promise<FoundAccounts> {
  const wanted = asked.map((text) => ({
    text,
    id: AccountId.safeParse(text).data,
    name: text.toLowerCase(),
  }));
  const rows = await underCare(db)
    .select(['account', 'name'])
    .where((where) =>
      where.or([
        where('account', 'in', [...wanted.flatMap(({ id }) => id ?? []), NOBODY]),
        where('name', 'in', [...wanted.map(({ name }) => name), NOBODY]),
      ]),
    )
    .execute();

  const found = new Set<AccountId>();
  for (const { text, id, name } of wanted) {
    const matches = rows.filter((row) => (id === undefined ? row.name === name : row.account === id));
    const [match] = matches;
    if (match === undefined) return { unknown: text, known: await countUnderCare(db) };
    if (matches.length > 1) return { ambiguous: text, candidates: matches.map(({ account }) => account) };
    found.add(match.account);
  }
  return { found: [...found] };
}

/** Fits no account: keeps `in ()` from being empty. */
const NOBODY = '' as AccountId;

/** Where the secret lives is known once the account was declared or published. */
function underCare(db: Queries) {
  return db
    .selectFrom('account')
    .where('withdrawn', '=', false)
    .where((where) => where.or([where('secret', 'is not', null), where('switch', 'is not', null)]));
}

async function countUnderCare(db: Queries): Promise<number> {
  const { count } = await underCare(db)
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return count;
}
