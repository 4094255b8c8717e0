import { describe, expect, it } from '@jest/globals';
import { TransientFault } from '@twinkey/contracts';
import { toFault } from './faults.js';

const sdkError = (code: string, message = 'No.') =>
  Object.assign(new Error(message), { name: 'ServiceBusError', code });
const answer = (statusCode: number) => Object.assign(new Error('No.'), { name: 'RestError', statusCode });

describe('an error of the SDK', () => {
  it.each([
    ['ServiceBusy', 'TransientFault', 'bus-throttled'],
    ['ServiceTimeout', 'TransientFault', 'bus-timeout'],
    ['QuotaExceeded', 'TransientFault', 'bus-full'],
    ['MessagingEntityNotFound', 'PermanentFault', 'bus-entity-missing'],
    ['UnauthorizedAccess', 'PermanentFault', 'bus-unauthorized'],
    ['MessageSizeExceeded', 'PermanentFault', 'message-too-large'],
    ['MessageLockLost', 'Interrupted', 'message-lock-lost'],
    ['SomethingNew', 'TransientFault', 'bus-failed'],
  ])('%s becomes a %s %s', (code, name, faultCode) => {
    expect(toFault(sdkError(code), 'rotation-due')).toMatchObject({ name, code: faultCode });
  });

  it('with the real reason in its text only is recognised by it', () => {
    const error = sdkError('GeneralError', 'ECONNREFUSED: connect ECONNREFUSED 127.0.0.1:5672');
    expect(toFault(error, 'rotation-due')).toMatchObject({
      code: 'bus-unreachable',
      message:
        'Service Bus does not answer (rotation-due): ECONNREFUSED: connect ECONNREFUSED 127.0.0.1:5672',
    });
  });
});

describe('an operation that the SDK retried', () => {
  it('is judged by its last attempt', () => {
    const attempts = new AggregateError([
      sdkError('ServiceTimeout'),
      sdkError('UnauthorizedAccess', 'Claim.'),
    ]);
    expect(toFault(attempts, 'rotation-due')).toMatchObject({
      code: 'bus-unauthorized',
      message: 'Service Bus does not accept the identity of this service (rotation-due): Claim.',
    });
  });
});

describe('an answer of the administration endpoint', () => {
  it.each([
    [401, 'bus-unauthorized'],
    [403, 'bus-unauthorized'],
    [404, 'bus-entity-missing'],
    [429, 'bus-throttled'],
    [500, 'bus-failed'],
  ])('%i becomes %s', (status, code) => {
    expect(toFault(answer(status), 'topic')).toMatchObject({ code });
  });
});

describe('what is a fault already', () => {
  it('stays what it is', () => {
    const fault = new TransientFault('x', 'y');
    expect(toFault(fault, 'rotation-due')).toBe(fault);
  });
});
