// The data of a contract as a JSON schema of draft 7, in words that say the same as its zod schema.
import { z } from 'zod';

export function contractSchema(schema) {
  /** JSON schema has no flags: zod leaves them out, and the pattern would refuse what zod accepts. */
  const caseless = new Set();
  const whole = z.toJSONSchema(schema, {
    io: 'input',
    target: 'draft-7',
    override: ({ zodSchema }) => {
      for (const check of zodSchema._zod.def.checks ?? []) {
        const { pattern } = check._zod.def;
        if (pattern?.flags.includes('i')) caseless.add(pattern.source);
      }
    },
  });
  return JSON.parse(JSON.stringify(whole), (name, value) => {
    if (name === '$schema') return undefined;
    // A page of pattern that says what the format says; but all moments are in UTC.
    if (value?.format === 'date-time') return { ...value, pattern: 'Z$' };
    if (value?.format === 'uuid') return { ...value, pattern: undefined };
    return caseless.has(value?.pattern) ? { ...value, pattern: eitherCase(value.pattern) } : value;
  });
}

/** `a` becomes `[aA]`, outside of escapes and classes. */
function eitherCase(source) {
  return source.replaceAll(/\\.|\[[^\]]*\]|[a-z]/gi, (part) =>
    part.length > 1 ? part : `[${part.toLowerCase()}${part.toUpperCase()}]`,
  );
}
