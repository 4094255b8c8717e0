// A JSON schema as the rows of a table: one per field, nested ones with a dotted path.

/** Formats bring a pattern with them that says the same at length. */
const FORMATS = {
  'date-time': 'moment (ISO 8601, UTC)',
  uri: 'URL',
  uuid: 'UUID',
};

/** Patterns of the vocabulary in its own words; a pattern that is not here is shown as it is. */
const PATTERNS = {
  '^r-[0-9a-f]{12}$': '`r-` and 12 hex digits',
  '^i-[0-9a-f]{16}$': '`i-` and 16 hex digits',
  '^[0-9a-f]{32}$': 'fingerprint, 32 hex digits',
  '^[a-z0-9][a-z0-9-]{0,62}$': '1 to 63 lower-case letters, digits, dashes',
  '^[0-9a-zA-Z-]{1,127}$': '1 to 127 letters, digits, dashes',
};

/** `[{ path, type, required }]`, depth first. Fields that carry an alternative are left to the caller. */
export function fieldsOf(schema, prefix = '') {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    const row = { path, name, type: typeOf(field), required: schema.required?.includes(name) ?? false };
    const inner = field.type === 'array' ? field.items : field;
    return [row, ...fieldsOf(inner, field.type === 'array' ? `${path}[]` : path)];
  });
}

function typeOf(field) {
  if (field.const !== undefined) return `\`${field.const}\``;
  if (field.enum) return field.enum.map((value) => `\`${value}\``).join(', ');
  if (field.oneOf) return 'one of the kinds below';
  if (field.type === 'array')
    return field.items.type === 'object' ? 'list' : `list of: ${typeOf(field.items)}`;
  if (field.type === 'string') return textOf(field);
  if (field.type === 'integer' || field.type === 'number') return numberOf(field);
  return field.type;
}

function textOf({ format, pattern, minLength, maxLength }) {
  if (FORMATS[format]) return FORMATS[format];
  if (pattern?.includes('microsoft')) return 'ARM id of the account';
  if (pattern !== undefined) return PATTERNS[pattern] ?? `text like \`${pattern.replaceAll('|', '\\|')}\``;
  if (maxLength !== undefined) return `text, ${minLength ?? 0} to ${maxLength} characters`;
  return minLength === 1 ? 'text, not empty' : 'text';
}

function numberOf({ type, minimum, exclusiveMinimum }) {
  const name = type === 'integer' ? 'whole number' : 'number';
  if (exclusiveMinimum !== undefined) return `${name} above ${exclusiveMinimum}`;
  return minimum === undefined || minimum < 0 ? name : `${name} from ${minimum}`;
}
