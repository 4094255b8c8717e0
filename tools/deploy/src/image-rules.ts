// What must hold of images: what they are built from is fixed by digest, no secret is built in, nobody is root in them.
// Each rule answers with sentences about what breaks it.

/** An instruction of a Dockerfile: `FROM`, and all that follows it on its lines. */
export interface Instruction {
  readonly keyword: string;
  readonly text: string;
}

const DIGEST = /@sha256:[0-9a-f]{64}$/;
const SECRET = /pass(word)?|secret|token|credential|api_?key|private|salt|connection_?string|database_url/i;

/** What is wrong with a Dockerfile. */
export function* dockerfileFaults(instructions: readonly Instruction[]): Generator<string> {
  const stages = instructions.flatMap(({ keyword, text }, index) =>
    keyword === 'FROM' ? [{ text, index }] : [],
  );
  if (stages.length < 2) yield 'it has one stage: what builds the program would run with it';
  for (const { text } of stages) {
    const image = text.split(/\s+/)[0] ?? '';
    if (!isPinned(image)) yield `FROM ${image} is not fixed by digest`;
  }
  for (const { keyword, text } of instructions) {
    if (keyword === 'ADD') yield `ADD ${text}: COPY takes files, and nothing from elsewhere`;
    if (keyword !== 'ARG' && keyword !== 'ENV') continue;
    const names = [...text.matchAll(/(?:^|\s)([A-Za-z_]\w*)(?==|\s|$)/g)].map(([, name = '']) => name);
    for (const name of names)
      if (SECRET.test(name)) yield `${keyword} ${name}: whoever has the image has the secret`;
  }
  const last = instructions.slice(stages.at(-1)?.index ?? 0);
  const user = last.findLast(({ keyword }) => keyword === 'USER')?.text;
  if (user === undefined || /^(0|root)(:|$)/.test(user)) yield 'its program runs as root';
  else if (!/^\d+(:\d+)?$/.test(user))
    yield `USER ${user}: Kubernetes can only see that a number is not root`;
  if (last.some(({ keyword }) => keyword === 'RUN'))
    yield 'it runs commands in its last stage, which has no shell';
  const command = last.findLast(({ keyword }) => keyword === 'CMD' || keyword === 'ENTRYPOINT')?.text;
  if (command?.startsWith('[') !== true) yield 'its command needs a shell, which would not pass signals on';
}

export function isPinned(image: string): boolean {
  return DIGEST.test(image);
}

/** Whether .dockerignore keeps a path out: the last line that fits decides. */
export function isKeptOut(path: string, ignoreFile: string): boolean {
  let out = false;
  for (const line of ignoreFile.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const pattern = line.replace(/^!/, '');
    if (fits(path, pattern)) out = !line.startsWith('!');
  }
  return out;
}

/** A pattern fits a path and all that is below it. */
function fits(path: string, pattern: string): boolean {
  const expression = pattern
    .split(/(\*\*\/|\*\*|\*)/)
    .map(
      (part) =>
        ({ '**/': '(?:.*/)?', '**': '.*', '*': '[^/]*' })[part] ?? part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'),
    )
    .join('');
  return new RegExp(`^${expression}(?:/.*)?$`).test(path);
}
