const LONGEST_ID = 128;

/**
 * The id under which a dead letter is sent again. It must be new, or duplicate detection drops the message; and
 * it must be the same when the same dead letter is sent twice because a replay was cut off half-way. The number
 * of the dead letter gives both: the next time it fails it is another dead letter.
 */
export function replayedId(id: string, sequenceNumber: string): string {
  const original = id.replace(/~\d+$/, '');
  const suffix = `~${sequenceNumber}`;
  return original.slice(0, LONGEST_ID - suffix.length) + suffix;
}
