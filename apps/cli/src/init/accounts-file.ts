// Accounts from a file, for whoever may list them while this machine may not: the answer of
// `az cognitiveservices account list`, or one page of Resource Manager's.
import { AccountId } from '@twinkey/contracts';

/** An account as `twinkey.yaml` needs to know it. */
export interface Discovered {
  readonly id: AccountId;
  readonly kind: string;
  /** It has keys and accepts none: there is nothing to rotate. */
  readonly isKeyless: boolean;
}

/** Reads the text of such a file. Throws a TypeError that names the first field that does not fit. */
export function readAccounts(text: string): readonly Discovered[] {
  const whole: unknown = JSON.parse(text);
  const list: unknown = Array.isArray(whole) ? whole : fieldOf(whole, 'value');
  if (!Array.isArray(list))
    throw new TypeError('a list of accounts was expected, or an object with it in "value"');
  return list.map((each: unknown, index) => {
    const id = AccountId.safeParse(fieldOf(each, 'id'));
    if (!id.success) throw new TypeError(`[${index}].id must be the ARM id of a Cognitive Services account`);
    const kind = fieldOf(each, 'kind');
    return {
      id: id.data,
      kind: typeof kind === 'string' ? kind : '',
      isKeyless: fieldOf(fieldOf(each, 'properties'), 'disableLocalAuth') === true,
    };
  });
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
