import { inspect } from 'node:util';

const REDACTED = '‹redacted›';

/**
 * A key on its way through this process. However it is printed (template string, JSON, console, inspect of an
 * object that holds it), the text does not appear; only `reveal()` gives it, at the border where it is used.
 */
export class SecretText {
  readonly #text: string;

  constructor(value: string) {
    this.#text = value;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}

/** Azure's keys are 32 or 84 letters and digits; nothing else that a server puts into a message is that long. */
const KEY_SHAPED = /[A-Za-z0-9]{32,}/g;

/** A text of foreign origin made fit for messages and logs. */
export function withoutKeys(text: string): string {
  return text.replaceAll(KEY_SHAPED, REDACTED).slice(0, 500);
}
