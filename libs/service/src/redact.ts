const REDACTED = '‹redacted›';

/**
 * What must never stand in a log, whatever way it got into a message. The rules work on finished lines of JSON,
 * so they see texts that no list of field names would find. Fingerprints (32 hex digits too) stay: only digits
 * that something calls a key are taken for one.
 */
const rules: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  // Keys of Azure AI services in the shape they have since 2024, with the mark that makes them recognisable.
  [
    /(?<![A-Za-z0-9])[A-Za-z0-9]{52}JQQJ9[9DH][A-Za-z0-9][A-L][A-Za-z0-9]{16}[A-Za-z][A-Za-z0-9]{7}(?:[A-Za-z0-9]{4})?(?![A-Za-z0-9])/g,
    REDACTED,
  ],
  [/((?:key[12]?|api[-_]?key|secret)\\?["']?\s*[:=]\s*\\?["']?)[0-9a-f]{32}(?![0-9a-f])/gi, `$1${REDACTED}`],
  [/(bearer\s+)[\w.~+/=-]{8,}/gi, `$1${REDACTED}`],
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, REDACTED],
  [
    /((?:SharedAccessKey|AccountKey|client_secret|client_assertion|password|pwd)=)[^;&\s"\\]+/gi,
    `$1${REDACTED}`,
  ],
  [/(SharedAccessSignature[= ])[^;\s"\\]+/gi, `$1${REDACTED}`],
  [/([?&]sig=)[^&;\s"\\]+/gi, `$1${REDACTED}`],
  [/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:@/"\\]+:)[^\s@/"\\]+(?=@)/gi, `$1${REDACTED}`],
];

/** The text without keys, tokens, passwords and shared access keys. */
export function redact(text: string): string {
  return rules.reduce((line, [pattern, replacement]) => line.replace(pattern, replacement), text);
}
