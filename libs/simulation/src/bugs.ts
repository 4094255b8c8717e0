// Bugs that are put in on purpose, around production code and never in it: a simulation that does not find them would
// find nothing. Each is a wrong way to Azure, to the bus, to the database or to the notifier.
import type { HeartbeatAnswer, HeartbeatRequest } from '@twinkey/contracts';
import type { Bus } from '@twinkey/service-bus';
import type { Kind } from './faults.js';
import type { AzurePorts } from './ports.js';
import type { World } from './world.js';

export interface Bug {
  readonly name: string;
  /** The kinds of fault of its worlds: without them it does no harm. */
  readonly needs: readonly Kind[];
  /** The rotators' way to Azure. */
  readonly ports?: (ports: AzurePorts) => AzurePorts;
  /** The services' way to the bus. */
  readonly bus?: (bus: Bus, world: World) => Bus;
  /** What a statement becomes before it reaches the server. */
  readonly statement?: (text: string) => string;
  /** What a heartbeat says, after the answer to the last one. */
  readonly heartbeat?: (said: HeartbeatRequest, last: HeartbeatAnswer | undefined) => HeartbeatRequest;
  /** What a rotator intended is gone when it dies. */
  readonly forgetsIntents?: true;
  readonly config?: object;
}

export const BUGS: readonly Bug[] = [
  {
    name: 'whoever asks the gate is told at once that everyone acknowledged',
    needs: ['consumer-silent', 'consumer-frozen', 'people-rotate'],
    bus: (bus, { timeline }) => {
      let answers = 0;
      return {
        ...bus,
        send: async (entity, messages) => {
          await bus.send(entity, messages);
          if (entity !== 'switch-requests') return;
          for (const { body } of messages) {
            answers += 1;
            const id = `hasty-${timeline.elapsed}-${answers}`;
            await bus.send('switch-outcomes', [
              { id, body: acknowledgedBy(body as Asked, id, timeline.now) },
            ]);
          }
        },
      };
    },
  },
  {
    name: 'an instance acknowledges what it hears of, not what it uses',
    needs: ['consumer-vaultless', 'people-rotate'],
    heartbeat: (said, last) => ({
      ...said,
      accounts: said.accounts.map((one) => ({
        ...one,
        generation:
          last?.accounts.find(({ account }) => account === one.account)?.generation ?? one.generation,
      })),
    }),
  },
  {
    name: 'a message counts as sent although it never left',
    needs: [],
    bus: (bus, { chance }) => {
      const dice = chance.split('bug');
      return {
        ...bus,
        send: (entity, messages) =>
          bus.send(
            entity,
            messages.filter(() => !dice.happens(0.1)),
          ),
      };
    },
  },
  {
    name: 'the intent is not there any more when the rotator dies in the middle of its call',
    needs: ['crash-in-call', 'arm-late', 'people-rotate'],
    forgetsIntents: true,
  },
  {
    name: 'nobody minds the lease of an account',
    needs: ['frozen-in-call', 'people-rotate'],
    statement: (text) =>
      text
        .replace(/where l\.holder = excluded\.holder or l\.expires_at <= clock_timestamp\(\)/, '')
        .replace(
          /and holder = (\$\d+) and epoch = (\$\d+) and expires_at > clock_timestamp\(\)/,
          'and $1::text is not null and $2::bigint is not null',
        )
        .replace('when g.lease is not null and not exists', 'when false and not exists'),
    ports: (ports) => ({ ...ports, asksBeforeSending: false }),
  },
  {
    name: 'a call that is not answered is sent again at once, by the client itself',
    needs: ['arm-late', 'people-rotate'],
    ports: (ports) => ({ ...ports, sendsAgain: true }),
  },
  {
    name: 'a call without an answer counts as one that was never made',
    needs: ['arm-late', 'arm-unanswered', 'people-rotate'],
    ports: (ports) => ({ ...ports, forgetsDoubt: true }),
  },
  {
    name: 'nobody waits until a call that was given up cannot be executed any more',
    needs: ['arm-late', 'people-rotate'],
    config: { quiescenceSeconds: 0 },
  },
  {
    name: 'a key travels in a message',
    needs: [],
    bus: (bus, { azure }) => ({
      ...bus,
      send: (entity, messages) => {
        const [account] = azure.accounts.values();
        return bus.send(
          entity,
          messages.map((message) =>
            entity === 'rotation-events'
              ? { ...message, body: { ...(message.body as object), subject: account?.keys.key1 } }
              : message,
          ),
        );
      },
    }),
  },
];

interface Asked {
  readonly data: {
    readonly account: string;
    readonly rotationId?: string;
    readonly generation: number;
    readonly request: number;
  };
}

function acknowledgedBy(asked: Asked, id: string, now: number): object {
  const { account, rotationId, generation, request } = asked.data;
  const at = new Date(now).toISOString();
  const rotation = rotationId === undefined ? {} : { rotationId };
  const who = { instances: 1, waived: [], missing: [] };
  const data = {
    account,
    ...rotation,
    generation,
    request,
    outcome: 'acknowledged',
    at,
    openFrom: at,
    ...who,
  };
  return { ...asked, id, type: 'com.twinkey.switch.outcome.v1', source: 'twinkey/notifier', data };
}
