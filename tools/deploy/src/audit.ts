// What `npm audit` finds, held against what is explained in tools/audit/explained.json.

/** What `npm audit --json` answers, as far as it is read. */
export interface AuditReport {
  readonly vulnerabilities: Readonly<
    Record<string, { readonly via: readonly (string | AuditedAdvisory)[]; readonly nodes: readonly string[] }>
  >;
}
interface AuditedAdvisory {
  readonly url: string;
  readonly title: string;
  readonly severity: string;
  readonly name: string;
}

/** Why an advisory does no harm here, and until when somebody answers for that. */
export interface Explanation {
  /** `GHSA-…` */
  readonly advisory: string;
  /** `production`: it is inside an image or a published package; `development`: only where twinkey is built and tested. */
  readonly reaches: 'production' | 'development';
  readonly why: string;
  /** A day, `2026-12-31`: from the next day on it is to be looked at again. */
  readonly until: string;
}

/** What keeps the audit from being clean, as sentences. `production` is the report with --omit=dev. */
export function* auditFaults(
  { all, production }: { readonly all: AuditReport; readonly production: AuditReport },
  explained: readonly Explanation[],
  today: string,
): Generator<string> {
  const found = advisoriesIn(all);
  const reaching = advisoriesIn(production);
  for (const [advisory, { title, severity, name }] of found) {
    const reaches = reaching.has(advisory) ? 'production' : 'development';
    const what = `${advisory} (${severity}, ${name}, ${reaches}: ${title})`;
    const explanation = explained.find((one) => one.advisory === advisory);
    if (explanation === undefined)
      yield `${what} is not explained. Update ${name}, or say in tools/audit/explained.json why it does no harm.`;
    else if (explanation.until < today)
      yield `${what} was explained until ${explanation.until}. Look at it again.`;
    else if (explanation.reaches === 'development' && reaches === 'production')
      yield `${what} is explained for development, and reaches production.`;
  }
  for (const { advisory } of explained)
    if (!found.has(advisory)) yield `${advisory} is explained, and nothing has it any more. Remove it.`;
}

/** What is wrong with the explanations themselves. */
export function* explanationFaults(explained: readonly Explanation[]): Generator<string> {
  for (const { advisory, reaches, why, until } of explained) {
    if (!/^GHSA(-[0-9a-z]{4}){3}$/.test(advisory)) yield `advisory: "${advisory}" must be like GHSA-….`;
    if (!['production', 'development'].includes(reaches))
      yield `${advisory}: reaches must be production or development.`;
    if (why.length < 40) yield `${advisory}: why must be a sentence that somebody can check.`;
    if (!/^\d{4}-\d{2}-\d{2}$/.test(until)) yield `${advisory}: until must be a day.`;
  }
  const names = explained.map(({ advisory }) => advisory);
  if (new Set(names).size !== names.length) yield 'An advisory is explained twice.';
}

/** Reads an answer of npm. Throws when it is none: the registry may refuse to be asked. */
export function readReport(text: string): AuditReport {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new NoAudit(text.slice(0, 200));
  }
  if (typeof answer === 'object' && answer !== null && 'vulnerabilities' in answer)
    return answer as AuditReport;
  const { message } = (answer ?? {}) as { message?: unknown };
  throw new NoAudit(typeof message === 'string' ? message : 'npm said nothing about vulnerabilities');
}

/** The registry did not say what it knows. */
export class NoAudit extends Error {
  override readonly name = 'NoAudit';
}

function advisoriesIn({ vulnerabilities }: AuditReport): ReadonlyMap<string, AuditedAdvisory> {
  const advisories = Object.values(vulnerabilities).flatMap(({ via }) =>
    via.filter((one) => typeof one !== 'string'),
  );
  return new Map(advisories.map((one) => [one.url.slice(one.url.lastIndexOf('/') + 1), one]));
}
