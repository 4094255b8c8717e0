import { Refused } from '../service-bus/errors.js';
import type { Control } from './control.js';
import { ControlInvalid } from './control-invalid.js';
import type { AllFaults } from './fault-control.js';
import { FleetInvalid, parseAccountDefinition } from './fleet.js';
import { parseApplication } from './parse-application.js';
import { json, jsonObject, jsonValue, type Incoming, type Log, type Reply } from './plugin.js';
import { parseRestart } from './restart.js';

export interface ControlRoutes {
  readonly control: Control;
  readonly faults: AllFaults;
  readonly log: Log;
}

/** `/_local/…`: the control for tests and tools in other processes. Key values never leave through here. */
export function answerControl(routes: ControlRoutes, request: Incoming): Reply {
  if (request.spoiled === 'url') return refused('The path is malformed.');
  if (request.spoiled === 'body-too-large') return failed(413, 'TooLarge', 'The body is too large.');
  try {
    return answer(routes, request);
  } catch (error) {
    if (error instanceof ControlInvalid || error instanceof FleetInvalid) return refused(error.message);
    if (error instanceof Refused) return refused(error.description);
    routes.log.warn(`The control failed: ${error instanceof Error ? (error.stack ?? '') : String(error)}`);
    return failed(500, 'Failed', 'The emulator failed; its log says why.');
  }
}

function answer({ control, faults, log }: ControlRoutes, request: Incoming): Reply {
  const [, topic = '', name] = request.segments;
  switch (`${request.method} ${topic}`) {
    case 'GET healthz':
      return health(control);
    case 'GET faults':
      return json(200, { faults: faults.list() });
    case 'POST faults':
      return json(201, { id: faults.plant(jsonValue(request.body)) });
    case 'DELETE faults':
      if (faults.remove(name) > 0 || name === undefined) return { status: 204 };
      return failed(404, 'NotFound', `No fault ${name}; GET /_local/faults lists them.`);
    case 'GET clock':
      return clock(control);
    case 'POST clock':
      return turnClock(control, request);
    case 'POST restart':
      return restart(control, request, log);
    case 'GET ledger':
      return json(200, { entries: control.ledger.entries() });
    case 'DELETE ledger':
      control.ledger.reset();
      return { status: 204 };
    case 'GET accounts':
      return name === undefined
        ? json(200, { accounts: control.accounts.names() })
        : judge(control, name, request);
    case 'POST accounts': {
      const definition = parseAccountDefinition(jsonObject(request.body), 'account');
      control.accounts.put(definition);
      return json(201, { name: definition.name });
    }
    case 'POST applications':
      return json(201, control.register(parseApplication(jsonObject(request.body))));
    case 'GET service-bus':
      return json(200, control.serviceBus?.stats() ?? {});
    case 'POST service-bus':
      return orderServiceBus(control, name ?? '', request);
    case 'GET settings':
      return settings(control);
    case 'PATCH settings':
      return changeSettings(control, request);
    default:
      return failed(404, 'NotFound', `No ${request.method} /_local/${topic}; see the README.`);
  }
}

function health(control: Control): Reply {
  const down = control.restarts?.down() ?? [];
  return down.length === 0
    ? json(200, { status: 'ok' })
    : json(503, { status: 'restarting', services: down });
}

/** The key comes in a header, so that no log of URLs holds it. */
function judge(control: Control, name: string, { headers }: Incoming): Reply {
  const key = headers['x-key'];
  const verdict = control.accounts.judge(name, typeof key === 'string' ? key : '');
  if (verdict === undefined)
    return failed(404, 'NotFound', `No account ${name}; GET /_local/accounts lists them.`);
  return json(200, { name, ...(typeof key === 'string' ? verdict : {}) });
}

function clock({ clock: { now, aheadByMs } }: Control): Reply {
  return json(200, { now: new Date(now()).toISOString(), aheadByMs: aheadByMs() });
}

function turnClock(control: Control, { body }: Incoming): Reply {
  const { advanceMs, set, ...others } = jsonObject(body) ?? {};
  const isOne = (advanceMs === undefined) !== (set === undefined) && Object.keys(others).length === 0;
  if (!isOne)
    throw new ControlInvalid('Say either { "advanceMs": 60000 } or { "set": "2030-01-01T00:00:00Z" }.');
  if (set === undefined) control.clock.advance(typeof advanceMs === 'number' ? advanceMs : NaN);
  else control.clock.set(typeof set === 'string' ? Date.parse(set) : Number(set));
  return clock(control);
}

/** Answers first: what is restarted may be the very listener that was asked. `GET /_local/healthz` tells the end. */
function restart(control: Control, { body }: Incoming, log: Log): Reply {
  const options = parseRestart(body.length === 0 ? {} : jsonValue(body));
  const announced = control.restarts?.announce(options);
  if (announced === undefined) throw new ControlInvalid('Not everything listens yet; ask again in a moment.');
  return {
    ...json(202, { services: announced.services, downMs: options.downMs ?? 0 }),
    afterwards: () => {
      announced.begin().catch((error: unknown) => {
        log.warn(`A restart failed: ${String(error)}`);
      });
    },
  };
}

/** What happens at once; trouble to come is a fault. */
function orderServiceBus({ serviceBus }: Control, order: string, { body }: Incoming): Reply {
  if (serviceBus === undefined) throw new ControlInvalid('Service Bus does not listen yet.');
  switch (order) {
    case 'drop-connections':
      return json(200, { dropped: serviceBus.faults.dropConnections() });
    case 'expire-locks': {
      const entity = jsonObject(body)?.['entity'];
      if (typeof entity !== 'string')
        throw new ControlInvalid('entity: the path of a queue or subscription was expected.');
      serviceBus.faults.expireLocks(entity);
      return { status: 204 };
    }
    default:
      return failed(404, 'NotFound', 'One of drop-connections, expire-locks; everything else is a fault.');
  }
}

function changeSettings(control: Control, { body }: Incoming): Reply {
  const {
    tokensSurviveRegeneration: survive = control.tokensSurviveRegeneration,
    provisioningMs: ms = control.provisioningMs,
    ...others
  } = jsonObject(body) ?? {};
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    return refused(`${unknown}: no such setting; there are tokensSurviveRegeneration and provisioningMs.`);
  if (typeof survive !== 'boolean') return refused('tokensSurviveRegeneration: true or false was expected.');
  if (typeof ms !== 'number' || !Number.isInteger(ms) || ms < 0)
    return refused('provisioningMs: a number of milliseconds, 0 or more, was expected.');
  control.tokensSurviveRegeneration = survive;
  control.provisioningMs = ms;
  return settings(control);
}

function settings({ tokensSurviveRegeneration, provisioningMs }: Control): Reply {
  return json(200, { tokensSurviveRegeneration, provisioningMs });
}

function refused(message: string): Reply {
  return failed(400, 'Invalid', message);
}

function failed(status: number, code: string, message: string): Reply {
  return json(status, { error: { code, message } });
}
