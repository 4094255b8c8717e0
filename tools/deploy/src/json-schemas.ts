// Official descriptions of formats, and what judges a document by them.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';

const require = createRequire(import.meta.url);

/** One for all. What it would spend on better code and on the schemas themselves takes longer than judging by them. */
const ajv = new Ajv({ strict: false, validateSchema: false, code: { optimize: false } });
formats.default(ajv);

/** Judges by a schema of draft 7, the one of AsyncAPI. */
export function judgeBy(schema: object): ValidateFunction {
  return ajv.compile(schema);
}

/** What AsyncAPI itself says about documents of version 3.0; all of its parts are in one file. */
export function asyncApiSchema(): object {
  return JSON.parse(
    readFileSync(require.resolve('@asyncapi/specs/schemas/3.0.0-without-$id.json'), 'utf8'),
  ) as object;
}

/** References inside a document that lead nowhere. */
export function* danglingReferences(document: object): Generator<string> {
  for (const [, reference = ''] of JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)) {
    if (!reference.startsWith('#/')) {
      yield reference;
      continue;
    }
    let place: unknown = document;
    for (const word of reference.slice(2).split('/'))
      place = (place as Record<string, unknown> | undefined)?.[
        word.replaceAll('~1', '/').replaceAll('~0', '~')
      ];
    if (place === undefined) yield reference;
  }
}
