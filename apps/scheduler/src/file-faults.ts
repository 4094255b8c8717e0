// What is wrong in the file, in people's words: where, which rule, what to do.
import type { z } from 'zod';

export type Path = readonly (string | number)[];

export interface FileFault {
  readonly path: Path;
  readonly rule: string;
  readonly remedy: string;
}

/** `accounts[2].secret.vault` */
export function spell(path: Path): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('');
  return text.replace(/^\./, '') || 'the file';
}

export function faultsOf(error: z.ZodError): FileFault[] {
  return error.issues.flatMap((issue) => faultOf(issue));
}

function faultOf(issue: z.core.$ZodIssue): FileFault[] {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: [...path, key],
        rule: 'is not a field of this place',
        remedy: 'correct its spelling or its indentation, or remove it',
      }));
    case 'invalid_value': {
      const allowed = issue.values.map(String).join(' or ');
      return issue.input === undefined
        ? [{ path, rule: 'is missing', remedy: `add it: ${allowed}` }]
        : [
            {
              path,
              rule: `must be ${allowed}`,
              remedy: issue.values.length > 1 ? 'write one of them' : 'write that',
            },
          ];
    }
    case 'invalid_type':
      return issue.input === undefined
        ? [{ path, rule: 'is missing', remedy: `add it: ${article(issue.expected)}` }]
        : [{ path, rule: `must be ${article(issue.expected)}`, remedy: 'correct it' }];
    case 'invalid_key':
      return issue.issues.map(({ message }) => ({ path, rule: message, remedy: 'rename it' }));
    case 'invalid_union':
      return faultsOfUnion(issue, path);
    case 'too_small':
      return typeof issue.input === 'number'
        ? [{ path, rule: issue.message, remedy: 'correct it' }]
        : [{ path, rule: 'must not be empty', remedy: 'fill it in or leave the field out' }];
    default:
      return [{ path, rule: issue.message, remedy: 'correct it' }];
  }
}

/** Of a word or fields below it: whoever wrote fields is told what is wrong in them. */
function faultsOfUnion({ errors }: z.core.$ZodIssueInvalidUnion, path: Path): FileFault[] {
  const inFields = errors.find((issues) =>
    issues.some((issue) => issue.code !== 'invalid_value' && issue.path.length > 0),
  );
  const unknown = errors.find((issues) => issues.some(({ code }) => code === 'unrecognized_keys'));
  const told = inFields ?? unknown;
  if (told !== undefined) {
    return told.flatMap(faultOf).map((fault) => ({ ...fault, path: [...path, ...fault.path] }));
  }
  const words = errors
    .flat()
    .flatMap((issue) => (issue.code === 'invalid_value' ? issue.values.map(String) : []));
  return [{ path, rule: `must be ${words.join(' or ')}, or fields below it`, remedy: 'write one of them' }];
}

const NOUNS: Readonly<Record<string, string>> = {
  object: 'fields below it',
  record: 'named entries below it',
  array: 'a list',
  string: 'text',
};

function article(expected: string): string {
  return NOUNS[expected] ?? `a ${expected}`;
}
