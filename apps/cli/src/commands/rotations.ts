import type { Explanation, Rotation, RotationDetail } from '../answers.js';
import { eventLine } from '../event-line.js';
import { relative, seconds } from '../moments.js';
import { paintState, printList, type Screen } from '../screen.js';
import { sheet, table } from '../table.js';
import { watchRotation } from '../watch-rotation.js';
import type { Session } from './session.js';

export interface ListOptions {
  readonly state?: string;
  readonly account?: string;
  readonly limit: string;
}

export async function listRotations(
  { client, screen }: Session,
  { state, account, limit }: ListOptions,
): Promise<void> {
  const query = new URLSearchParams({ limit });
  if (state !== undefined) query.set('state', state);
  if (account !== undefined) query.set('account', account);
  const answer = await client.get<{ rotations: Rotation[] }>(`/v1/rotations?${query.toString()}`);
  printList(screen, answer.rotations, {
    whole: answer,
    name: ({ id }) => id,
    table: () => rotationTable(answer.rotations, screen),
  });
}

export function rotationTable(rotations: readonly Rotation[], screen: Screen): string[] {
  return table(
    ['ROTATION', 'ACCOUNT', 'KEYS', 'STATE', 'STEP', 'BY', 'REQUESTED', 'TOOK'],
    rotations.map((rotation) => [
      rotation.id,
      rotation.account,
      keysOf(rotation),
      paintState(screen, rotation.state),
      rotation.step ?? '-',
      rotation.by ?? '-',
      relative(rotation.requestedAt),
      rotation.seconds === null ? '-' : seconds(rotation.seconds),
    ]),
  );
}

export async function showRotation({ client, screen }: Session, id: string): Promise<void> {
  const rotation = await client.get<RotationDetail>(`/v1/rotations/${encodeURIComponent(id)}`);
  printList(screen, [rotation], {
    whole: rotation,
    name: () => rotation.id,
    table: () => [
      ...sheet(facts(rotation, screen)),
      '',
      ...table(
        ['STEP', 'STATE', 'TOOK'],
        rotation.steps.map(({ step, state, seconds: took }) => [
          step,
          paintState(screen, state),
          took === null ? '-' : seconds(took),
        ]),
      ),
      '',
      ...rotation.events.map((event) => eventLine(event, screen)),
    ],
  });
}

/** What it retires. */
function keysOf({ scope, slot }: Rotation): string {
  return scope === 'emergency' ? `leaked ${slot ?? 'key'}` : scope;
}

function facts(rotation: RotationDetail, screen: Screen): (readonly [string, string])[] {
  const { halt, waiting, refusal, waived } = rotation;
  return [
    ['Rotation', rotation.id],
    ['Account', rotation.account],
    ['Keys', keysOf(rotation)],
    ['State', paintState(screen, rotation.state) + (rotation.step === null ? '' : ` in ${rotation.step}`)],
    ['Requested', `${relative(rotation.requestedAt)} by ${rotation.by ?? '-'}: ${rotation.reason ?? '-'}`],
    ...(waiting ? [['Waiting', `for ${waiting.for}: ${waiting.detail}`] as const] : []),
    ...(halt
      ? ([
          ['Halted', `${relative(halt.at)}, ${halt.reason}: ${halt.detail}`],
          ['Remedy', halt.remedy],
        ] as const)
      : []),
    ...(refusal ? [['Refused', `${refusal.code}: ${refusal.detail}`] as const] : []),
    ...(waived.length === 0 ? [] : [['Waived', waived.join(', ')] as const]),
    ...(rotation.completedAt === null
      ? []
      : [
          [
            'Completed',
            `${relative(rotation.completedAt)}, ${rotation.keysReplaced ?? 0} keys replaced`,
          ] as const,
        ]),
  ];
}

export async function explainRotation({ client, screen }: Session, id: string): Promise<void> {
  const said = await client.get<Explanation>(`/v1/rotations/${encodeURIComponent(id)}/explanation`);
  printList(screen, [said], {
    whole: said,
    name: () => said.rotation,
    table: () => [
      ...sheet([
        ['Rotation', `${said.rotation} of ${said.account}, ${paintState(screen, said.state)}`],
        ['Waits for', said.waitsFor],
        ['Since', relative(said.since)],
        ['If nobody acts', said.ifNobodyActs],
      ]),
      '',
      ...table(
        ['YOU CAN', 'EFFECT'],
        said.youCan.map(({ command, effect }) => [command, effect]),
      ),
    ],
  });
}

export async function watch({ client, screen, timeoutMs }: Session, id: string): Promise<void> {
  const rotation = await client.get<Rotation>(`/v1/rotations/${encodeURIComponent(id)}`);
  screen.talk(`Rotation ${rotation.id} of ${rotation.account}, asked by ${rotation.by ?? 'unknown'}`);
  await watchRotation({ client, screen, rotation: rotation.id, after: 0, timeoutMs });
}
