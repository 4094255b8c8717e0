// What a migration may do while replicas of the version before still run on the same tables, and after a roll-back again:
// it adds, and refuses nothing that they write.

/** Sentences about what breaks neighbours, each with the statement. */
export function migrationFaults(text: string): readonly string[] {
  const statements = statementsOf(text);
  const own = new Set(
    statements.flatMap((one) => /^create table (?:if not exists )?(\w+)/.exec(one)?.[1] ?? []),
  );
  return statements.flatMap((statement) =>
    [...faultsOf(statement, own)].map((fault) => `${fault}: ${statement.slice(0, 100)}`),
  );
}

function* faultsOf(statement: string, own: ReadonlySet<string>): Generator<string> {
  const table = /\bon (?:only )?(\w+)|^alter table (?:only )?(?:if exists )?(\w+)/.exec(statement);
  const isOwn = own.has(table?.[1] ?? table?.[2] ?? '');
  if (/^create (table|index|function|sequence|view|type)\b/.test(statement)) return;
  if (/^(comment on|insert into)\b/.test(statement)) return;
  if (/^create (unique index|trigger|constraint trigger)\b/.test(statement)) {
    if (!isOwn) yield 'may refuse what a neighbour writes';
    return;
  }
  const [, actions] = /^alter table (?:only )?(?:if exists )?\w+ (.*)$/.exec(statement) ?? [];
  if (actions === undefined) {
    yield 'does more than add';
    return;
  }
  for (const action of topLevel(actions)) {
    if (/^set \(/.test(action)) continue;
    if (
      !/^add (column|if not exists|\w+ \w+)/.test(action) ||
      /^add (constraint|check|unique|primary|foreign|exclude)\b/.test(action)
    )
      yield isOwn ? 'belongs into the create table' : 'changes what a neighbour knows';
    else if (/\bnot null\b/.test(action) && !/\bdefault\b|\bgenerated\b/.test(action))
      yield 'wants a value that a neighbour does not give (not null without default)';
    else if (/\b(unique|primary key|references)\b/.test(action)) yield 'may refuse what a neighbour writes';
  }
}

/** In lower case and on one line each, without comments and without the bodies of functions. */
function statementsOf(text: string): readonly string[] {
  return text
    .replace(/\$(\w*)\$[^]*?\$\1\$/g, "''")
    .replace(/--[^\n]*/g, '')
    .replace(/\/\*[^]*?\*\//g, '')
    .split(';')
    .map((statement) => statement.replace(/\s+/g, ' ').trim().toLowerCase())
    .filter((statement) => statement !== '');
}

/** The parts between commas that stand in no brackets. */
function topLevel(text: string): readonly string[] {
  const parts = [''];
  let depth = 0;
  for (const sign of text) {
    if (sign === '(') depth += 1;
    if (sign === ')') depth -= 1;
    if (sign === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] = (parts.at(-1) ?? '') + sign;
  }
  return parts.map((part) => part.trim());
}
