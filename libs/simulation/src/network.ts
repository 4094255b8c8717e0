// The way from an instance of a consumer to the notifier, over which requests and answers get lost.
import {
  PermanentFault,
  TransientFault,
  type HeartbeatAnswer,
  type HeartbeatRequest,
  type RegisterAnswer,
} from '@twinkey/contracts';
import type { Notifier } from '@twinkey/consumer/session';
import type { Actor } from './actor.js';
import type { Chance } from './chance.js';
import type { Faults } from './faults.js';
import type { Hosted } from './host.js';
import type { Timeline } from './timeline.js';

const CALL_WITHIN_MS = 5_000;
const FINAL = new Set([400, 401, 403]);

/** Who asks, as the service's own guard would have found out. */
interface Caller {
  readonly id: string;
  readonly name: string;
  readonly roles: ReadonlySet<string>;
  readonly consumers: 'any';
}

/** What of `InstancesController` is called. */
interface Instances {
  register(body: unknown, caller: Caller): Promise<RegisterAnswer>;
  heartbeat(path: unknown, body: unknown, caller: Caller): Promise<HeartbeatAnswer>;
  leave(path: unknown, caller: Caller): Promise<void>;
}

export class Network {
  /** The notifier that listens now. */
  server: { readonly actor: Actor; readonly hosted: Hosted } | undefined;
  /** For bugs: what a heartbeat says, after the answer to the last one. */
  bend: (said: HeartbeatRequest, last: HeartbeatAnswer | undefined) => HeartbeatRequest = (said) => said;

  constructor(
    private readonly timeline: Timeline,
    private readonly chance: Chance,
    private readonly faults: Faults,
  ) {}

  /** `isCut`: nothing of this client gets through. `answered`: when the request was sent that was answered. */
  notifierFor(client: Actor, isCut: () => boolean, answered: (sentAt: number) => void): Notifier {
    const call = async <Answer>(work: (to: Instances) => Promise<Answer>): Promise<Answer> => {
      const sentAt = this.timeline.now;
      const answer = await this.#call(client, isCut, work);
      answered(sentAt);
      return answer;
    };
    const { name } = client;
    const caller: Caller = { id: name, name, roles: new Set(['consumer']), consumers: 'any' };
    let last: HeartbeatAnswer | undefined;
    return {
      register: (request) => call((to) => to.register(request, caller)),
      heartbeat: async (instance, request) => {
        try {
          return (last = await call((to) => to.heartbeat({ instance }, this.bend(request, last), caller)));
        } catch (error) {
          if (error instanceof TransientFault && error.code === 'http-410') return 'unknown-instance';
          throw error;
        }
      },
      goodbye: (instance) => call((to) => to.leave({ instance }, caller)),
    };
  }

  #call<Answer>(
    client: Actor,
    isCut: () => boolean,
    work: (to: Instances) => Promise<Answer>,
  ): Promise<Answer> {
    const { timeline, chance, faults } = this;
    return new Promise((resolve, reject) => {
      const fail = (): void => {
        reject(new TransientFault('notifier-unreachable', 'The notifier does not answer.'));
      };
      timeline.after(CALL_WITHIN_MS, fail, client);
      const { server } = this;
      if (server?.actor.alive !== true || isCut()) {
        timeline.after(chance.between(1, 20), fail, client);
        return;
      }
      const { actor, hosted } = server;
      const isLost = faults.strikes('notifier-unanswered');
      const back = (then: () => void): void => {
        if (!isLost && !isCut()) timeline.after(chance.between(1, 20), then, client);
      };
      timeline.after(
        chance.between(1, 20),
        () => {
          work(hosted.controller('InstancesController') as Instances).then(
            (answer) => {
              back(() => {
                resolve(answer === undefined ? answer : (JSON.parse(JSON.stringify(answer)) as Answer));
              });
            },
            (error: unknown) => {
              back(() => {
                reject(refusal(error));
              });
            },
          );
        },
        actor,
      );
    });
  }
}

/** As the client of the library reads an answer that is no success. */
function refusal(error: unknown): Error {
  const status = (error as { status?: number }).status ?? 503;
  const message = error instanceof Error ? error.message : String(error);
  return FINAL.has(status)
    ? new PermanentFault(`http-${status}`, message)
    : new TransientFault(`http-${status}`, message);
}
