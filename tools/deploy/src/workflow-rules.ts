// What must hold of the workflows in .github: whoever can change a tag, a title or a package that they touch cannot
// use them.
import { parse } from 'yaml';

interface Workflow {
  readonly on: unknown;
  readonly permissions?: unknown;
  readonly concurrency?: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}
interface Job {
  readonly permissions?: Readonly<Record<string, string>> | string;
  readonly 'timeout-minutes'?: number;
  readonly uses?: string;
  readonly secrets?: unknown;
  readonly environment?: string;
  readonly steps?: readonly Step[];
}
interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

/** What an action or a tool needs, and therefore the job that has it. */
const MAY_WRITE: Readonly<Record<string, RegExp>> = {
  packages: /docker\/build-push-action/,
  'id-token': /actions\/attest-|npm publish/,
  attestations: /actions\/attest-/,
  contents: /gh release/,
};

/** What is wrong with a workflow, as sentences. */
export function* workflowFaults(text: string): Generator<string> {
  const workflow = parse(text) as Workflow;
  const events = eventsOf(workflow.on);
  for (const event of ['pull_request_target', 'workflow_run', 'issue_comment'])
    if (events.includes(event)) yield `it runs on ${event}, with rights that strangers can use`;
  if (JSON.stringify(workflow.permissions) !== '{}') yield 'it gives rights to all of its jobs';
  if (workflow.concurrency === undefined) yield 'it may run twice at once';
  yield* pinFaults(text);
  for (const [name, job] of Object.entries(workflow.jobs))
    for (const fault of jobFaults(job, events)) yield `${name} ${fault}`;
  for (const [, secret] of text.matchAll(/\bsecrets\.(\w+)/g))
    if (secret !== 'GITHUB_TOKEN') yield `it needs a secret, ${secret ?? ''}`;
}

function eventsOf(on: unknown): readonly string[] {
  if (typeof on === 'string') return [on];
  return Array.isArray(on) ? (on as string[]) : Object.keys(on ?? {});
}

/** A commit, and which version it is; read from the text, for YAML has no comments. */
function* pinFaults(text: string): Generator<string> {
  for (const [, action = '', rest = ''] of text.matchAll(/\buses: *(\S+)(.*)$/gm)) {
    if (action.startsWith('./')) continue;
    if (!/^[\w-]+\/[\w./-]+@[0-9a-f]{40}$/.test(action)) yield `${action} is not named by its commit`;
    else if (!/^ # v\d+\.\d+\.\d+$/.test(rest)) yield `${action} does not say which version that is`;
  }
}

function* jobFaults(job: Job, events: readonly string[]): Generator<string> {
  if (typeof job.permissions !== 'object') yield 'does not say which rights it needs';
  else {
    const steps = JSON.stringify(job.steps ?? []);
    for (const [right, level] of Object.entries(job.permissions)) {
      if (level !== 'write') continue;
      if (events.includes('pull_request')) yield `may write ${right} for a change that nobody has looked at`;
      if (MAY_WRITE[right]?.test(steps) !== true) yield `may write ${right} and does not need it`;
      if (right === 'packages' && job.environment === undefined) yield 'publishes, and nobody has to agree';
    }
  }
  if (job.secrets !== undefined) yield 'hands its secrets on';
  if (job.uses !== undefined) return;
  if (job['timeout-minutes'] === undefined) yield 'may run for hours';
  for (const step of job.steps ?? []) yield* stepFaults(step);
}

function* stepFaults({ uses = '', run = '', with: inputs = {} }: Step): Generator<string> {
  if (uses.startsWith('actions/checkout@') && inputs['persist-credentials'] !== false)
    yield 'leaves its token in the checkout';
  // Whatever stands between the braces is put into the script before a shell reads it.
  if (run.includes('${{')) yield `builds a script of an expression: ${run.split('\n')[0] ?? ''}`;
  for (const line of run.split('\n')) {
    if (/\bnpm (install|i|exec)\b|\bnpx\b/.test(line))
      yield `takes packages that no lock file names: ${line}`;
    if (/\bnpm (ci|publish)\b/.test(line) && !line.includes('--ignore-scripts'))
      yield `lets packages run scripts: ${line}`;
    if (/curl|wget/.test(line)) yield `fetches what nothing vouches for: ${line}`;
  }
}
