// What the codes of the console's problems mean for the person who asked: what state things are in, what to do.
import { EXIT, type ExitCode } from './exit-codes.js';

interface Advice {
  readonly state: string;
  readonly remedy: string;
}

const nothing = 'Nothing was changed.';

const ADVICE: Readonly<Record<string, Advice>> = {
  'account-unknown': { state: nothing, remedy: 'See the names with: twinkey accounts list' },
  'account-ambiguous': { state: nothing, remedy: 'Name the account as resource-group/name.' },
  'account-withdrawn': {
    state: 'Its keys are left as they are.',
    remedy: 'Put the account under care again (twinkey.yaml or its tag), then rotate.',
  },
  'rotation-open': {
    state: 'The open rotation is not affected.',
    remedy: 'Follow it with: twinkey rotations watch <rotation>; if it is halted: twinkey replay <rotation>',
  },
  'rotation-unknown': { state: nothing, remedy: 'See the ids with: twinkey rotations list' },
  'rotation-ambiguous': { state: nothing, remedy: 'Give more digits of the id.' },
  'rotation-completed': {
    state: 'The keys that it retired are dead, the new ones are in use.',
    remedy: 'Begin another rotation with: twinkey rotate <account>',
  },
  'rotation-refused': { state: nothing, remedy: 'Ask anew with: twinkey rotate <account>' },
  'rotation-running': {
    state: 'The rotation goes on.',
    remedy: 'Follow it with: twinkey rotations watch <rotation>',
  },
  'rotation-halted': {
    state: 'Both keys keep working.',
    remedy: 'Take it up again with: twinkey replay <rotation>',
  },
  'consumer-unknown': {
    state: nothing,
    remedy: 'See the consumers with: twinkey consumers list',
  },
  'declared-in-file': {
    state: nothing,
    remedy: 'Change twinkey.yaml; the scheduler reads it again by itself.',
  },
  'subscription-taken': { state: nothing, remedy: 'See whose it is with: twinkey consumers list' },
  'entity-unknown': { state: nothing, remedy: 'See the entities with: twinkey dlq list' },
  'webhook-unknown': { state: nothing, remedy: 'See which there are with: twinkey webhooks list' },
  'delivery-unknown': { state: nothing, remedy: 'See the numbers with: twinkey webhooks log <consumer>' },
  'bus-unreachable': {
    state: 'Rotations stand still and stay safe; they go on by themselves once Service Bus answers.',
    remedy: 'Look at Service Bus, then at /health/ready of the console.',
  },
  'token-missing': { state: nothing, remedy: 'Set TWINKEY_API_AUDIENCE as the console has it, and sign in.' },
  'token-not-accepted': {
    state: nothing,
    remedy: 'Set TWINKEY_API_AUDIENCE as the console has it, and sign in.',
  },
  'too-many-requests': {
    state: nothing,
    remedy: 'Ask again in some seconds; if many share this identity, raise TWINKEY_REQUESTS_PER_SECOND.',
  },
  'too-many-streams': {
    state: nothing,
    remedy: 'Ask again when somebody has stopped watching, or look with: twinkey rotations show <rotation>',
  },
  'idempotency-key-in-use': {
    state: 'What was asked for is under way.',
    remedy: 'Look at the outcome with: twinkey status',
  },
  'not-from-here': {
    state: nothing,
    remedy: 'Use http://127.0.0.1 or http://localhost as --url, or have the console ask for tokens.',
  },
  'role-missing': { state: nothing, remedy: 'Have the app role assigned that is named above.' },
  'invalid-request': { state: nothing, remedy: 'Correct the value; see: twinkey <command> --help' },
};

export function adviceFor(code: string, status: number): Advice {
  const known = ADVICE[code];
  if (known) return known;
  if (status === 401 || status === 403) {
    return { state: nothing, remedy: 'Ask for the rights that the console wants, or use another identity.' };
  }
  return { state: 'Unknown; rotations go on by themselves.', remedy: 'See: twinkey status' };
}

export function exitCodeFor(status: number): ExitCode {
  switch (status) {
    case 401:
    case 403:
      return EXIT.auth;
    case 404:
      return EXIT.notFound;
    case 409:
    case 412:
    case 422:
      return EXIT.conflict;
    case 400:
      return EXIT.usage;
    default:
      return EXIT.failed;
  }
}
