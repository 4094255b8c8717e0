// What the environment says, judged as the services themselves judge it.
import {
  ConfigurationError,
  describeVariables,
  problemWith,
  readConfig,
  SERVICE_NAMES,
  variablesOf,
  type ConfigProblem,
  type Environment,
  type ServiceName,
} from '@twinkey/settings';
import type { Finding } from './finding.js';

/** Variables that one service alone reads, by name. */
const OWNERS = new Map(
  describeVariables().flatMap(({ name, usedBy }) => {
    const owner = SERVICE_NAMES.find((service) => usedBy.length === 1 && usedBy.includes(service));
    return owner === undefined ? [] : [[name, owner] as const];
  }),
);

/** Variables that no service reads. */
const OF_CLIENTS = describeVariables()
  .filter(({ usedBy }) => !SERVICE_NAMES.some((service) => usedBy.includes(service)))
  .map(({ name }) => name);

/** True when it is written in the environment; set to nothing is not set. */
export function isGiven(environment: Environment, name: string): boolean {
  return (environment[name] ?? '') !== '';
}

/** The services whose own required variables are here. */
export function servicesIn(environment: Environment): readonly ServiceName[] {
  return SERVICE_NAMES.filter((service) =>
    describeVariables().every(
      ({ name, required }) => !required || OWNERS.get(name) !== service || isGiven(environment, name),
    ),
  );
}

/** All that is wrong with the variables of these services, each once. */
export function settingsFindings(
  environment: Environment,
  services: readonly ServiceName[],
): readonly Finding[] {
  const problems = [
    ...services.flatMap((service) => problemsOf(service, environment)),
    ...OF_CLIENTS.flatMap((name) => {
      const problem = problemWith(environment, name);
      return problem === undefined ? [] : [{ name, problem }];
    }),
  ];
  const once = new Map(problems.map((one) => [`${one.name} ${one.problem}`, findingOf(one)]));
  if (once.size > 0) return [...once.values()];
  return services.map((service) => ({ about: service, check: 'its settings are complete', outcome: 'ok' }));
}

function problemsOf(service: ServiceName, environment: Environment): readonly ConfigProblem[] {
  try {
    readConfig(service, variablesOf(service), environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
}

function findingOf({ name, problem }: ConfigProblem): Finding {
  return {
    about: OWNERS.get(name) ?? 'installation',
    check: `setting ${name}`,
    outcome: 'failed',
    detail: problem.replace(/\.$/, ''),
    mend: mendOf(name, problem),
  };
}

/** Both ways to the bus, none of them, a name that nobody knows: the rest is one value to set. */
function mendOf(name: string, problem: string): string {
  const [, other] = /^or (\w+) must be set/.exec(problem) ?? [];
  if (/^(?:and \w+ exclude|is not known)/.test(problem))
    return `unset ${name}   # docs/reference/configuration.md has the names that are known`;
  return `export ${other ?? name}=…   # docs/reference/configuration.md says what goes there`;
}
