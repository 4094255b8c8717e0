// docs/reference/cli.md, made from the tree of commands so that it cannot lag behind.
import type { Argument, Command, Option } from 'commander';
import { EXIT_MEANINGS } from './exit-codes.js';

/** The reference page of the command line, as Markdown. */
export function referencePage(program: Command): string {
  return [
    '# The command line',
    '',
    '<!-- Generated from the commands themselves; a spec compares. -->',
    '',
    program.description(),
    '',
    'Data goes to stdout, talk to stderr. `-o name` prints one name or id per line, for the next command of a pipe. An',
    'error says in four lines what happened, why, what state things are in and what to do. No command prints a key.',
    '',
    '## Options of every command',
    '',
    ...optionTable(program.options),
    '',
    '## Commands',
    '',
    ...leaves(program).flatMap((command) => [...describe(command), '']),
    '## Exit codes',
    '',
    '| Code | Meaning |',
    '| --- | --- |',
    ...Object.entries(EXIT_MEANINGS).map(([code, meaning]) => `| ${code} | ${meaning} |`),
    '',
  ].join('\n');
}

function leaves(command: Command): readonly Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

function describe(command: Command): string[] {
  const { registeredArguments: parameters, options } = command;
  return [
    `### \`${path(command)}${parameters.map((parameter) => ` ${spell(parameter)}`).join('')}\``,
    '',
    sentence(command.description()),
    ...(parameters.length === 0
      ? []
      : [
          '',
          '| Argument | |',
          '| --- | --- |',
          ...parameters.map((parameter) => row(spell(parameter), parameter.description)),
        ]),
    ...(options.length === 0 ? [] : ['', ...optionTable(options)]),
  ];
}

function path(command: Command): string {
  return command.parent ? `${path(command.parent)} ${command.name()}` : command.name();
}

function spell(parameter: Argument): string {
  const name = parameter.name() + (parameter.variadic ? '...' : '');
  return parameter.required ? `<${name}>` : `[${name}]`;
}

function optionTable(options: readonly Option[]): string[] {
  return ['| Option | |', '| --- | --- |', ...options.map((option) => row(option.flags, explain(option)))];
}

function explain({ description, argChoices, defaultValue, envVar, mandatory }: Option): string {
  const notes = [
    ...(mandatory ? ['required'] : []),
    ...(argChoices ? [`one of ${argChoices.map((choice) => `\`${choice}\``).join(', ')}`] : []),
    ...(typeof defaultValue === 'string' ? [`default \`${defaultValue}\``] : []),
    ...(envVar === undefined ? [] : [`variable \`${envVar}\``]),
  ];
  return notes.length === 0 ? description : `${description} (${notes.join('; ')})`;
}

function row(name: string, text: string): string {
  return `| \`${name.replaceAll('|', '\\|')}\` | ${text.replaceAll('|', '\\|')} |`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
