// Schemas of zod as those of an OpenAPI document.
import { z } from 'zod';

export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** How schemas are put into words: as they travel, before a reader makes anything else of them. */
export function words(): Required<Pick<z.core.ToJSONSchemaParams, 'io' | 'override'>> {
  /** JSON schema has no flags: zod leaves them out, and the pattern would refuse what zod accepts. */
  const caseless = new Map<string, string>();
  return {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      const { checks = [] } = zodSchema._zod.def;
      for (const check of checks) {
        const { pattern } = check._zod.def as { pattern?: RegExp };
        if (pattern?.flags.includes('i')) caseless.set(pattern.source, eitherCase(pattern.source));
      }
      // Answers may grow within `v1`.
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      // A moment needs no page of pattern beside its format.
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
      const free = jsonSchema.pattern === undefined ? undefined : caseless.get(jsonSchema.pattern);
      if (free !== undefined) jsonSchema.pattern = free;
    },
  };
}

/** `a` becomes `[aA]`, outside of escapes and classes. */
function eitherCase(source: string): string {
  return source.replaceAll(/\\.|\[[^\]]*\]|[a-z]/gi, (part) =>
    part.length > 1 ? part : `[${part.toLowerCase()}${part.toUpperCase()}]`,
  );
}

/** The fields of an object and which of them must be there. */
export function objectSchema(schema: z.ZodObject): {
  readonly properties: Readonly<Record<string, JsonSchema>>;
  readonly required: readonly string[];
} {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, words());
  return {
    properties: Object.fromEntries(
      Object.entries(properties).map(([name, property]) => [
        name,
        typeof property === 'boolean' ? {} : property,
      ]),
    ),
    required,
  };
}

/** `#/$defs/X` means nothing inside an OpenAPI document; the same X is a component there. */
export function pointAtComponents(
  schema: JsonSchema,
  ids: readonly string[],
  uri: (id: string) => string,
): JsonSchema {
  let text = JSON.stringify(schema);
  for (const id of ids) text = text.replaceAll(`"#/$defs/${id}"`, `"${uri(id)}"`);
  return JSON.parse(text) as JsonSchema;
}

/** What only a document of its own needs. */
const OF_A_DOCUMENT = new Set(['$schema', '$id', '$defs']);

export function bare(schema: JsonSchema): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([name]) => !OF_A_DOCUMENT.has(name)));
}
