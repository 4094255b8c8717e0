import type { Finding, History } from '../history.js';
import { callsIn, publicationsIn, replacementsIn } from '../timeline.js';

const REFUSED: readonly unknown[] = [401, 403];

/** No call of a consumer is refused, says the called one and says each caller; and there were calls. */
export function nobodyIsRefused({ facts, callers, consumer }: History): readonly Finding[] {
  const calls = callsIn(facts).filter(({ caller }) => caller.startsWith(consumer));
  const findings = calls
    .filter(({ status }) => REFUSED.includes(status))
    .map(({ account, key, status }) => ({
      rule: 'refused-call',
      account,
      text: `a consumer's call with key ${key} was answered ${String(status)}`,
    }));
  if (callers.refused > 0)
    findings.push({ rule: 'refused-call', account: '*', text: `consumers saw ${callers.refused} refusals` });
  const accepted = calls.filter(({ status }) => status === 200).length;
  if (accepted === 0 || callers.calls === 0)
    findings.push({ rule: 'no-calls', account: '*', text: 'nobody called: this history proves nothing' });
  return findings;
}

/**
 * Whoever regenerates a key takes it from nobody: it is not what consumers find in the vault, none of their calls with
 * it is under way, and none comes later.
 */
export function noKeyInUseIsReplaced({ facts, consumer }: History): readonly Finding[] {
  const calls = callsIn(facts).filter(({ caller }) => caller.startsWith(consumer));
  const publications = publicationsIn(facts);
  return replacementsIn(facts).flatMap(({ place, account, slot, old }) => {
    const found = (text: string) => ({ rule: 'key-in-use', account, text: `${slot} (${old}) ${text}` });
    const findings: Finding[] = [];
    const published = publications.findLast((each) => each.account === account && each.place < place);
    if (published?.key === old) findings.push(found('was replaced while it was the published key'));
    const withOld = calls.filter((call) => call.account === account && call.key === old);
    const late = withOld.filter(({ arrived }) => arrived > place).length;
    if (late > 0) findings.push(found(`was used by ${late} calls after it was replaced`));
    const under = withOld.filter(
      ({ arrived, answered }) => arrived < place && (answered ?? 0) > place,
    ).length;
    if (under > 0) findings.push(found(`was replaced while ${under} calls with it were under way`));
    return findings;
  });
}
