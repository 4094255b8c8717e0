import { isObject } from '../host/plugin.js';
import { duration, noMoreThan, readArguments, wholeNumber, type Said } from './arguments.js';
import { Misuse } from './misuse.js';
import { RunningAzure } from './running-azure.js';
import { findingOptions, usage } from './usage.js';

/** What a command answers: for a program, and as lines for a person. */
interface Result {
  readonly value: unknown;
  readonly lines: readonly string[];
}

const options = {
  data: { type: 'string' },
  origin: { type: 'string' },
  ca: { type: 'string' },
  output: { type: 'string', short: 'o' },
  help: { type: 'boolean', short: 'h' },
  operation: { type: 'string' },
  target: { type: 'string' },
  skip: { type: 'string' },
  count: { type: 'string' },
  set: { type: 'string', multiple: true },
  all: { type: 'boolean' },
  advance: { type: 'string' },
  down: { type: 'string' },
  'forget-signing-keys': { type: 'boolean' },
  reset: { type: 'boolean' },
} as const;

type Values = Said<typeof options>['values'];
type Verb = (azure: RunningAzure, words: readonly string[], values: Values) => Promise<Result>;

const verbs: Readonly<Record<string, { readonly run: Verb; readonly flags: readonly string[] }>> = {
  fault: { run: fault, flags: ['operation', 'target', 'skip', 'count', 'set', 'all'] },
  clock: { run: clock, flags: ['advance', 'set'] },
  restart: { run: restart, flags: ['down', 'forget-signing-keys'] },
  ledger: { run: ledger, flags: ['reset'] },
  accounts: { run: accounts, flags: [] },
  'drop-connections': { run: dropConnections, flags: [] },
  'expire-locks': { run: expireLocks, flags: [] },
};

const finding = ['data', 'origin', 'ca', 'output', 'help'];

export function isVerb(word: string): boolean {
  return Object.hasOwn(verbs, word);
}

/** Does one thing to a running emulator; answers what to print. Throws {@link Misuse}. */
export async function runVerb(name: string, args: readonly string[], dataDir: string): Promise<string> {
  const verb = verbs[name];
  if (verb === undefined) throw new Misuse(`No command '${name}'. See --help.`);
  const { values, positionals } = readArguments(args, options);
  if (values.help === true) {
    const text = usage[name as keyof typeof usage] + findingOptions;
    return text.replace('DEFAULT_DATA', dataDir);
  }
  const strange = Object.keys(values).find((flag) => !finding.includes(flag) && !verb.flags.includes(flag));
  if (strange !== undefined) throw new Misuse(`Unknown option '--${strange}' of ${name}. See --help.`);
  const { output } = values;
  if (output !== undefined && output !== 'json') throw new Misuse(`-o ${output}: only json is known.`);
  const azure = RunningAzure.find({ dataDir: values.data ?? dataDir, origin: values.origin, ca: values.ca });
  const { value, lines } = await verb.run(azure, positionals, values);
  return output === 'json' ? JSON.stringify(value, null, 2) : lines.join('\n');
}

async function fault(
  azure: RunningAzure,
  [action, ...words]: readonly string[],
  values: Values,
): Promise<Result> {
  switch (action) {
    case 'add':
      return await addFault(azure, words, values);
    case 'list': {
      noMoreThan(0, words);
      const value = await azure.ask('GET', 'faults');
      return { value, lines: rows(value, 'faults').map(describeFault) };
    }
    case 'remove': {
      const [id, ...rest] = words;
      noMoreThan(0, rest);
      if ((id === undefined) === (values.all !== true))
        throw new Misuse('fault remove: name the ID of one, or say --all.');
      await azure.ask('DELETE', id === undefined ? 'faults' : `faults/${encodeURIComponent(id)}`);
      return { value: { removed: id ?? 'all' }, lines: [`removed ${id ?? 'all'}`] };
    }
    default:
      throw new Misuse(`fault ${action ?? ''}: add, list or remove was expected. See --help.`);
  }
}

async function addFault(
  azure: RunningAzure,
  [service, kind, ...rest]: readonly string[],
  { operation, target, skip, count, set = [] }: Values,
): Promise<Result> {
  noMoreThan(0, rest);
  if (service === undefined || kind === undefined)
    throw new Misuse('fault add: a service and an effect were expected, such as: fault add arm outage.');
  const effect = { kind, ...Object.fromEntries((Array.isArray(set) ? set : [set]).map(field)) };
  const value = await azure.ask('POST', 'faults', {
    service,
    operation,
    target,
    skip: wholeNumber('--skip', skip),
    count: count === 'unlimited' ? count : wholeNumber('--count', count),
    effect,
  });
  return { value, lines: [`fault ${String(isObject(value) ? value['id'] : '')}`] };
}

/** Numbers as numbers, everything else as text. */
function field(text: string): readonly [string, string | number] {
  const [, name = '', value = ''] = /^(\w+)=(.*)$/s.exec(text) ?? [];
  if (name === '') throw new Misuse(`--set ${text}: FIELD=VALUE was expected, such as ms=500.`);
  return [name, /^\d{1,15}$/.test(value) && name !== 'code' ? Number(value) : value];
}

function describeFault(one: Readonly<Record<string, unknown>>): string {
  const { id, service, operation, target, count = 1, struck, spent, effect } = one;
  const where = [service, operation ?? '*', target ?? '*'].map(String).join(' ');
  const done = spent === true ? ', spent' : '';
  return `${String(id)}  ${where}  ${JSON.stringify(effect)}  struck ${String(struck)} of ${String(count)}${done}`;
}

async function clock(azure: RunningAzure, words: readonly string[], values: Values): Promise<Result> {
  noMoreThan(0, words);
  const { advance, set } = values;
  const [at] = Array.isArray(set) ? set : [set];
  if (advance !== undefined && at !== undefined) throw new Misuse('clock: either --advance or --set.');
  const value =
    advance !== undefined
      ? await azure.ask('POST', 'clock', { advanceMs: duration('--advance', advance) })
      : at !== undefined
        ? await azure.ask('POST', 'clock', { set: at })
        : await azure.ask('GET', 'clock');
  const { now, aheadByMs } = isObject(value) ? value : {};
  return { value, lines: [`${String(now)}, ${String(aheadByMs)} ms ahead`] };
}

async function restart(
  azure: RunningAzure,
  [service, ...rest]: readonly string[],
  values: Values,
): Promise<Result> {
  noMoreThan(0, rest);
  const downMs = values.down === undefined ? 0 : duration('--down', values.down);
  const forgetSigningKeys = values['forget-signing-keys'] ?? false;
  const value = await azure.ask('POST', 'restart', { service, downMs, forgetSigningKeys });
  await azure.healthy(downMs + 30_000);
  const services = isObject(value) && Array.isArray(value['services']) ? value['services'] : [];
  return { value, lines: [`restarted ${services.join(', ')}`] };
}

async function ledger(azure: RunningAzure, words: readonly string[], { reset }: Values): Promise<Result> {
  noMoreThan(0, words);
  if (reset === true) {
    await azure.ask('DELETE', 'ledger');
    return { value: { entries: [] }, lines: ['started anew'] };
  }
  const value = await azure.ask('GET', 'ledger');
  const lines = rows(value, 'entries').map(({ account, proof, slot, outcome, caller, count }) =>
    [account, proof, slot, outcome, caller, count].map(String).join('  '),
  );
  return { value, lines };
}

async function accounts(azure: RunningAzure, words: readonly string[]): Promise<Result> {
  noMoreThan(0, words);
  const value = await azure.ask('GET', 'accounts');
  const names: unknown = isObject(value) ? value['accounts'] : undefined;
  return { value, lines: Array.isArray(names) ? names.map(String) : [] };
}

async function dropConnections(azure: RunningAzure, words: readonly string[]): Promise<Result> {
  noMoreThan(0, words);
  const value = await azure.ask('POST', 'service-bus/drop-connections', {});
  return { value, lines: [`dropped ${String(isObject(value) ? value['dropped'] : '')} connections`] };
}

async function expireLocks(azure: RunningAzure, [entity, ...rest]: readonly string[]): Promise<Result> {
  noMoreThan(0, rest);
  if (entity === undefined)
    throw new Misuse('expire-locks: the path of a queue or subscription was expected.');
  await azure.ask('POST', 'service-bus/expire-locks', { entity });
  return { value: { entity }, lines: [`expired the locks of ${entity}`] };
}

function rows(value: unknown, name: string): readonly Readonly<Record<string, unknown>>[] {
  const list = isObject(value) ? value[name] : undefined;
  return Array.isArray(list) ? list.filter(isObject) : [];
}
