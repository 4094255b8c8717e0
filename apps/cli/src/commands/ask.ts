import type { Asked, Rotation } from '../answers.js';
import { usageFailure } from '../settings.js';
import { watchRotation } from '../watch-rotation.js';
import { askedBy, type Session } from './session.js';

export interface AskOptions {
  readonly wait?: boolean;
  readonly reason?: string;
}

export interface RotateOptions extends AskOptions {
  readonly half?: boolean;
  readonly emergency?: boolean;
  readonly slot?: string;
}

/** `twinkey rotate <account>` */
export async function rotate(session: Session, account: string, options: RotateOptions): Promise<void> {
  const path = `/v1/accounts/${encodeURIComponent(account)}/rotations`;
  await ask(session, path, { reason: options.reason, ...scopeOf(options) }, options.wait ?? false);
}

function scopeOf({ half = false, emergency = false, slot }: RotateOptions): object {
  if (half && emergency) {
    throw usageFailure(
      '--half and --emergency exclude each other.',
      'One retires the key that is not in use, the other the one that has leaked.',
    );
  }
  if (emergency !== (slot !== undefined)) {
    throw usageFailure(
      emergency ? 'It is not said which key has leaked.' : '--slot goes with --emergency only.',
      'An emergency names the slot of the leaked key; every other rotation finds its slots by itself.',
      'Write: twinkey rotate <account> --emergency --slot key1',
    );
  }
  if (emergency) return { scope: 'emergency', slot };
  return half ? { scope: 'half' } : {};
}

/** `twinkey halt <rotation>` */
export async function halt(session: Session, rotation: string, options: AskOptions): Promise<void> {
  await ask(session, await pathOf(session, rotation, 'halt'), { reason: options.reason }, false);
}

/** `twinkey waive <rotation> <consumer> --reason …` */
export async function waive(
  session: Session,
  rotation: string,
  consumer: string,
  options: AskOptions,
): Promise<void> {
  const path = await pathOf(session, rotation, 'waive');
  await ask(session, path, { consumer, reason: options.reason }, options.wait ?? false);
}

/** The full id, so that what is asked is about the rotation that was meant. */
export async function pathOf({ client }: Session, rotation: string, verb: string): Promise<string> {
  const { id } = await client.get<Rotation>(`/v1/rotations/${encodeURIComponent(rotation)}`);
  return `/v1/rotations/${id}/${verb}`;
}

export async function ask(
  { client, screen, timeoutMs }: Session,
  path: string,
  body: object,
  wait: boolean,
): Promise<void> {
  const asked = await client.post<Asked>(path, { by: askedBy(), ...body });
  const { rotation, account, command, after } = asked;
  if (wait) {
    screen.talk(`Rotation ${rotation} of ${account}: ${command} asked`);
    await watchRotation({ client, screen, rotation, after, command, timeoutMs });
    return;
  }
  switch (screen.output) {
    case 'table':
      screen.data(`rotation ${rotation} of ${account}: ${command} asked`);
      screen.talk(`Follow it with: twinkey rotations watch ${rotation}`);
      return;
    case 'name':
      screen.data(rotation);
      return;
    case 'json':
    case 'ndjson':
      screen.data(JSON.stringify(asked));
      return;
  }
}
