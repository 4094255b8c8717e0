import { randomBytes } from 'node:crypto';
import { invalidArgument } from '../errors.js';
import type { AccessRight, AuthorizationRule } from '../state/entity.js';
import { child, type XmlElement } from './xml.js';

const RIGHTS: readonly AccessRight[] = ['Send', 'Listen', 'Manage'];
const MOST_RULES = 12;

/** The rules in the description of a queue or topic; undefined when it does not speak of any. */
export function authorizationRules(
  description: XmlElement,
  now: number,
): readonly AuthorizationRule[] | undefined {
  const element = child(description, 'AuthorizationRules');
  if (element === undefined) return undefined;
  const rules = element.children
    .filter(({ name }) => name === 'AuthorizationRule')
    .map((each) => ruleOf(each, now));
  if (rules.length > MOST_RULES)
    throw invalidArgument(`An entity has at most ${MOST_RULES} AuthorizationRules`);
  if (new Set(rules.map(({ keyName }) => keyName)).size < rules.length)
    throw invalidArgument('The KeyName of each of the AuthorizationRules must be another one');
  return rules;
}

function ruleOf(element: XmlElement, now: number): AuthorizationRule {
  const text = (name: string): string => child(element, name)?.text.trim() ?? '';
  const keyName = text('KeyName');
  if (keyName === '') throw invalidArgument('KeyName is missing in one of the AuthorizationRules');
  const rights = (child(element, 'Rights')?.children ?? []).map((right) => rightOf(right.text, keyName));
  if (rights.length === 0) throw invalidArgument(`The authorization rule '${keyName}' has no Rights`);
  if (rights.includes('Manage') && !(rights.includes('Send') && rights.includes('Listen')))
    throw invalidArgument(
      `The authorization rule '${keyName}' has Manage and therefore needs Send and Listen too`,
    );
  const time = Date.parse(text('CreatedTime'));
  return {
    keyName,
    rights,
    primaryKey: text('PrimaryKey') || newKey(),
    secondaryKey: text('SecondaryKey') || newKey(),
    createdAt: Number.isNaN(time) ? now : time,
    modifiedAt: now,
  };
}

function rightOf(text: string, keyName: string): AccessRight {
  const right = RIGHTS.find((each) => each === text.trim());
  if (right === undefined)
    throw invalidArgument(
      `The right '${text}' of the authorization rule '${keyName}' is none of ${RIGHTS.join(', ')}`,
    );
  return right;
}

function newKey(): string {
  return randomBytes(32).toString('base64');
}
