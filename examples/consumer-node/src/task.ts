/** What this process shall do: the one argument, as JSON; or the variable CONSUMER_TASK. */
export interface Task {
  readonly consumer: string;
  readonly accounts: readonly TaskAccount[];
  readonly instances: number;
  readonly callsPerSecond: number;
}

export interface TaskAccount {
  readonly name: string;
  readonly endpoint: string;
  /** What is called below the endpoint. */
  readonly path: string;
}

const DEFAULT_PATH = 'text/analytics/v3.1/languages';

const EXAMPLE =
  '{"consumer":"voice-bot","accounts":[{"name":"speech-prod","endpoint":"https://…"}],"instances":3,"callsPerSecond":10}';

/** Throws one error that names everything that is wrong. */
export function readTask(text: string | undefined): Task {
  if (text === undefined || text.trim() === '')
    throw new Error(`task: give one argument (or CONSUMER_TASK): ${EXAMPLE}`);
  const task = parse(text);
  const wrong: string[] = [];
  const number = (name: 'instances' | 'callsPerSecond', fallback: number, max: number): number => {
    const value = task[name] ?? fallback;
    if (typeof value === 'number' && value > 0 && value <= max) return value;
    wrong.push(`${name}: must be a number above 0, at most ${max}`);
    return fallback;
  };
  const { consumer, accounts: given } = task;
  if (typeof consumer !== 'string' || consumer === '')
    wrong.push('consumer: must be the name it is registered under');
  const accounts = Array.isArray(given) ? given.map((each) => readAccount(each, wrong)) : [];
  if (accounts.length === 0) wrong.push('accounts: must be a list of at least one {"name", "endpoint"}');
  const instances = Math.ceil(number('instances', 3, 100));
  const callsPerSecond = number('callsPerSecond', 10, 1000);
  if (wrong.length > 0) throw new Error(`task: ${wrong.join('; ')}. Example: ${EXAMPLE}`);
  return { consumer: String(consumer), accounts, instances, callsPerSecond };
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return { ...value };
  } catch (error) {
    throw new Error(`task: not JSON. Example: ${EXAMPLE}`, { cause: error });
  }
  throw new Error(`task: must be a JSON object. Example: ${EXAMPLE}`);
}

function readAccount(given: unknown, wrong: string[]): TaskAccount {
  const { name, endpoint, path = DEFAULT_PATH } = { ...(given as Partial<TaskAccount> | null) };
  if (typeof name !== 'string' || name === '') wrong.push('accounts: each needs a name');
  if (typeof endpoint !== 'string' || !URL.canParse(endpoint)) {
    wrong.push(
      `accounts: ${name ?? '?'} needs an endpoint like https://speech-prod.cognitiveservices.azure.com/`,
    );
  }
  return { name: name ?? '', endpoint: endpoint ?? '', path };
}
