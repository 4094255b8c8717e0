import { invalidArgument } from '../errors.js';

const LONGEST_PATH = 260;
const LONGEST_NAME = 50;
const DEAD_LETTERS = '/$deadletterqueue';
const TRANSFER_DEAD_LETTERS = '/$transfer/$deadletterqueue';

/** Lower case, without a leading slash or the scheme and host of a full URI. */
export function normal(address: string): string {
  return address
    .replace(/^(?:amqps?|sb|https?):\/\/[^/]*/i, '')
    .replace(/^\/+|\/+$/g, '')
    .toLowerCase();
}

export type SubQueue = 'dead-letters' | 'transfer-dead-letters';

/** Which store of dead letters a normal path means, and the path of its entity. */
export function subQueueOf(path: string): { readonly owner: string; readonly which: SubQueue } | undefined {
  if (path.endsWith(TRANSFER_DEAD_LETTERS))
    return { owner: path.slice(0, -TRANSFER_DEAD_LETTERS.length), which: 'transfer-dead-letters' };
  if (path.endsWith(DEAD_LETTERS))
    return { owner: path.slice(0, -DEAD_LETTERS.length), which: 'dead-letters' };
  return undefined;
}

/** Throws `Refused` for what cannot be the path of a queue or topic. */
export function checkEntityPath(path: string): void {
  const rule = pathRule(path);
  if (rule !== undefined) throw invalidArgument(`'${path}' is not a valid name of an entity: ${rule}`);
}

function pathRule(path: string): string | undefined {
  if (path.length === 0 || path.length > LONGEST_PATH) return `it needs 1 to ${LONGEST_PATH} characters`;
  if (!/^[A-Za-z0-9._\-/~]+$/.test(path))
    return 'only letters, digits, periods, hyphens, underscores, tildes and slashes are allowed';
  if (!/^[A-Za-z0-9](?:.*[A-Za-z0-9])?$/.test(path)) return 'it begins and ends with a letter or a digit';
  if (path.includes('//')) return 'its slashes stand alone';
  if (/\/subscriptions(?:\/|$)/i.test(path)) return "'/subscriptions/' leads to the subscriptions of a topic";
  return undefined;
}

/** Throws `Refused` for what cannot be the name of a subscription or, with `$` for the default one, of a rule. */
export function checkPartName(name: string, of: 'subscription' | 'rule'): void {
  const allowed = of === 'rule' ? /^[A-Za-z0-9._\-~$ ]+$/ : /^[A-Za-z0-9._\-~]+$/;
  if (name.length === 0 || name.length > LONGEST_NAME || !allowed.test(name))
    throw invalidArgument(
      `'${name}' is not a valid name of a ${of}: it needs 1 to ${LONGEST_NAME} letters, digits, periods, hyphens or underscores`,
    );
}
