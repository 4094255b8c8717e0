import type { Finding, History, ToldRotation } from '../history.js';
import { replacementsIn, requestsIn, type Request } from '../timeline.js';

const SLOTS = ['key1', 'key2'] as const;

/**
 * A completed rotation has replaced each key that it was asked for, once. One that has not completed has replaced none
 * twice. Nothing is replaced that no rotation was asked for. (Rotations of one account that overlap, as an emergency
 * may, are not told apart here.)
 */
export function eachDueKeyOnce({ facts, rotations }: History): readonly Finding[] {
  const replacements = replacementsIn(facts);
  const explained = new Set<unknown>();
  const findings: Finding[] = [];
  for (const rotation of rotations) {
    const { account, due, completedAt, id } = rotation;
    const own = replacements.filter((each) => each.account === account && isDuring(rotation, each.at));
    for (const each of own) explained.add(each);
    for (const slot of SLOTS) {
      const times = own.filter((each) => each.slot === slot).length;
      const most = due.includes(slot) ? 1 : 0;
      const least = completedAt === null ? 0 : most;
      if (times >= least && times <= most) continue;
      const text = `${id} replaced ${slot} ${times} times; ${most} was due`;
      findings.push({ rule: 'regenerations-due', account, text });
    }
  }
  for (const each of replacements.filter((one) => !explained.has(one))) {
    const text = `${each.slot} was replaced at ${new Date(each.at).toISOString()}, in no rotation`;
    findings.push({ rule: 'regeneration-unasked', account: each.account, text });
  }
  return findings;
}

/**
 * Nothing is sent again that was done, and nothing whose end nobody knows before it can no longer happen. (A request
 * that was refused may be repeated.)
 */
export function nothingSentTwice({ facts, rotations, quiescenceMs }: History): readonly Finding[] {
  const requests = requestsIn(facts);
  return rotations.flatMap((rotation) =>
    SLOTS.flatMap((slot) => {
      const { account, id } = rotation;
      const own = requests.filter(
        (each) => each.account === account && each.slot === slot && isDuring(rotation, each.at),
      );
      return own.slice(1).flatMap((request, index) => {
        const why = own.slice(0, index + 1).map((before) => tooEarly(before, request, quiescenceMs));
        return why
          .filter((text) => text !== undefined)
          .map((text) => ({ rule: 'sent-twice', account, text: `${id} asked for ${slot} again ${text}` }));
      });
    }),
  );
}

function tooEarly(before: Request, again: Request, quiescenceMs: number): string | undefined {
  if (before.status === 200) return 'although it was done';
  const isRefused = typeof before.status === 'number' && (before.answered ?? Infinity) < again.arrived;
  if (isRefused || again.at - before.at >= quiescenceMs) return undefined;
  return `${again.at - before.at} ms after a request whose end it could not know`;
}

function isDuring({ requestedAt, completedAt }: ToldRotation, at: number): boolean {
  return at >= requestedAt && at <= (completedAt ?? Infinity);
}
