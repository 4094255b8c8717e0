import { isRole } from '../entra/roles.js';
import type { ApplicationDefinition } from '../entra/state.js';
import type { Control } from './control.js';
import { FleetInvalid, parseAccountDefinition } from './fleet.js';
import type { AllFaults } from './fault-control.js';
import { FaultInvalid } from './parse-fault.js';
import { orderTrouble } from './order-trouble.js';
import { isObject, json, jsonObject, jsonValue, type Incoming, type Reply } from './plugin.js';

/** `/_local/…`: the control for tests and tools in other processes. Key values never leave through here. */
export function answerControl(control: Control, faults: AllFaults, request: Incoming): Reply {
  if (request.spoiled === 'url') return refused('The path is malformed.');
  if (request.spoiled === 'body-too-large') return failed(413, 'TooLarge', 'The body is too large.');
  const [, topic = '', name] = request.segments;
  switch (`${request.method} ${topic}`) {
    case 'GET healthz':
      return json(200, { status: 'ok' });
    case 'GET faults':
      return json(200, { faults: faults.list() });
    case 'POST faults':
      return plant(faults, request);
    case 'DELETE faults':
      if (faults.remove(name) > 0 || name === undefined) return { status: 204 };
      return failed(404, 'NotFound', `No fault ${name}; GET /_local/faults lists them.`);
    case 'GET ledger':
      return json(200, { entries: control.ledger.entries() });
    case 'DELETE ledger':
      control.ledger.reset();
      return { status: 204 };
    case 'GET accounts':
      return name === undefined
        ? json(200, { accounts: control.accounts.names() })
        : judge(control, name, request);
    case 'POST accounts':
      return createAccount(control, request);
    case 'POST applications':
      return register(control, request);
    case 'GET service-bus':
      return json(200, control.serviceBus?.stats() ?? {});
    case 'POST service-bus':
      return troubleServiceBus(control, name ?? '', request);
    case 'GET settings':
      return json(200, { tokensSurviveRegeneration: control.tokensSurviveRegeneration });
    case 'PATCH settings':
      return changeSettings(control, request);
    default:
      return failed(404, 'NotFound', `No ${request.method} /_local/${topic}; see the README.`);
  }
}

function plant(faults: AllFaults, { body }: Incoming): Reply {
  try {
    return json(201, { id: faults.plant(jsonValue(body)) });
  } catch (error) {
    if (error instanceof FaultInvalid) return refused(error.message);
    throw error;
  }
}

/** The key comes in a header, so that no log of URLs holds it. */
function judge(control: Control, name: string, { headers }: Incoming): Reply {
  const key = headers['x-key'];
  const verdict = control.accounts.judge(name, typeof key === 'string' ? key : '');
  if (verdict === undefined)
    return failed(404, 'NotFound', `No account ${name}; GET /_local/accounts lists them.`);
  return json(200, { name, ...(typeof key === 'string' ? verdict : {}) });
}

function createAccount(control: Control, { body }: Incoming): Reply {
  try {
    const definition = parseAccountDefinition(jsonObject(body), 'account');
    control.accounts.put(definition);
    return json(201, { name: definition.name });
  } catch (error) {
    if (error instanceof FleetInvalid) return refused(error.message);
    throw error;
  }
}

function register(control: Control, { body }: Incoming): Reply {
  const definition = parseApplication(jsonObject(body));
  return typeof definition === 'string' ? refused(definition) : json(201, control.register(definition));
}

function troubleServiceBus(control: Control, name: string, { body }: Incoming): Reply {
  const faults = control.serviceBus?.faults;
  const fields = jsonObject(body) ?? {};
  const refusal =
    faults === undefined ? 'Service Bus does not listen yet.' : orderTrouble(faults, name, fields);
  return refusal === undefined ? { status: 204 } : refused(refusal);
}

function changeSettings(control: Control, { body }: Incoming): Reply {
  const survive = jsonObject(body)?.['tokensSurviveRegeneration'];
  if (typeof survive !== 'boolean') return refused('tokensSurviveRegeneration: true or false was expected.');
  control.tokensSurviveRegeneration = survive;
  return json(200, { tokensSurviveRegeneration: survive });
}

/** The definition, or what is wrong with it. */
export function parseApplication(value: unknown): ApplicationDefinition | string {
  if (!isObject(value) || typeof value['name'] !== 'string' || value['name'] === '')
    return 'name: a text was expected.';
  for (const field of ['federatedCredentials', 'assignments', 'identifierUris', 'appRoles']) {
    if (value[field] !== undefined && !Array.isArray(value[field])) return `${field}: a list was expected.`;
  }
  const assignments: readonly unknown[] = Array.isArray(value['assignments']) ? value['assignments'] : [];
  const unknown = assignments.find(
    (one) =>
      !isObject(one) ||
      (one['role'] !== undefined && !(typeof one['role'] === 'string' && isRole(one['role']))),
  );
  if (unknown !== undefined)
    return `assignments: no such role in ${JSON.stringify(unknown)}; the README lists them.`;
  return value as unknown as ApplicationDefinition; // a tool of one's own machine; what is missing has defaults
}

function refused(message: string): Reply {
  return failed(400, 'Invalid', message);
}

function failed(status: number, code: string, message: string): Reply {
  return json(status, { error: { code, message } });
}
