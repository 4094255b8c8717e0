// docs/reference/configuration.md and .env.example, from the list through which the services read their environment.
import { describeVariables } from '../../libs/settings/dist/variables.js';

const GROUPS = [
  ['Every service', ({ name, usedBy }) => usedBy.length === 4 && !isIdentity(name)],
  ['Identity', ({ name }) => isIdentity(name)],
  ['Scheduler', ({ usedBy }) => usedBy.includes('scheduler')],
  ['Rotator', ({ usedBy }) => usedBy.includes('rotator')],
  ['Notifier', ({ usedBy }) => usedBy.includes('notifier')],
  ['Console', ({ usedBy }) => usedBy.includes('console')],
  ['Command line', ({ usedBy }) => usedBy.includes('cli')],
  ['Consumers', ({ usedBy }) => usedBy.includes('consumer')],
];

/** AZURE_SUBSCRIPTION_ID is the scheduler's own and no part of an identity. */
function isIdentity(name) {
  return /^(AZURE_|NODE_)/.test(name) && name !== 'AZURE_SUBSCRIPTION_ID';
}

/** Each variable once, under the first heading that it belongs to. */
function grouped() {
  let rest = describeVariables();
  return GROUPS.map(([heading, belongs]) => {
    const variables = rest.filter(belongs);
    rest = rest.filter((variable) => !variables.includes(variable));
    return { heading, variables };
  }).filter(({ variables }) => variables.length > 0);
}

export function configurationPage() {
  return [
    '# Configuration',
    '',
    '<!-- Generated from libs/service/src/variables.ts by tools/docs/generate.mjs. -->',
    '',
    'Services read environment variables, all of them when they start. Whatever is wrong is told at once, with an',
    'example; the process then ends with exit code 1. A variable that begins with `TWINKEY_` and is not listed here is',
    'refused: a misspelt one would silently leave its default in force. A variable that is set to nothing counts as not',
    'set. All services can share one set of variables. Accounts and policies are in `twinkey.yaml`.',
    '',
    ...grouped().flatMap(({ heading, variables }) => [`## ${heading}`, '', ...variables.flatMap(describe)]),
  ].join('\n');
}

function describe({ name, what, example, fallback, required, secret, usedBy }) {
  const facts = [
    fallback !== undefined ? `Default \`${fallback}\`.` : required ? 'Required.' : 'Optional.',
    ...(secret ? ['Secret.'] : []),
    ...(usedBy.length > 1 && usedBy.length < 4 ? [`Read by ${usedBy.join(' and ')}.`] : []),
    `Example: \`${example}\``,
  ];
  return [`### \`${name}\``, '', what, '', facts.join(' '), ''];
}

/** Required variables are to be filled in, the others are there as comments with their default. */
export function envExample() {
  return [
    '# Every variable of twinkey, with its default or an example. Copy it to .env and fill in what is not commented out.',
    '# Generated from libs/service/src/variables.ts by tools/docs/generate.mjs; docs/reference/configuration.md explains.',
    ...grouped().flatMap(({ heading, variables }) => [
      '',
      `# --- ${heading}`,
      ...variables.flatMap(({ name, what, example, fallback, required }) => [
        '',
        ...wrapped(what),
        required && fallback === undefined
          ? `${name}=${quoted(example)}`
          : `#${name}=${quoted(fallback ?? example)}`,
      ]),
    ]),
    '',
  ].join('\n');
}

function quoted(value) {
  return /[\s;#]/.test(value) ? `'${value}'` : value;
}

function wrapped(text) {
  const lines = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length > 116) lines.push(`# ${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
