const COLOURS: Readonly<Record<string, number>> = { debug: 90, info: 32, warn: 33, error: 31, fatal: 31 };

/** One line of JSON log as a person reads it on a terminal: time, level, service, sentence, then the rest. */
export function prettyLine(line: string, { colour }: { readonly colour: boolean }): string {
  const { time, level, service, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const paint = (code: number, text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const levelText = textOf(level);
  const head = [
    paint(90, textOf(time).slice(11, 23)),
    paint(COLOURS[levelText] ?? 0, levelText.padEnd(5)),
    paint(36, textOf(service).padEnd(9)),
    textOf(msg),
  ];
  const rest = Object.entries(fields).map(([name, value]) => `${paint(90, `${name}=`)}${textOf(value)}`);
  return `${[...head, ...rest].join(' ')}${err === undefined ? '' : `\n${stackOf(err)}`}\n`;
}

function stackOf(error: unknown): string {
  const { stack, message } = error as { stack?: unknown; message?: unknown };
  return textOf(stack ?? message ?? error).replace(/^/gm, '    ');
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
