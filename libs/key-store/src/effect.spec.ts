import {
  createEmptyPipeline,
  createHttpHeaders,
  createPipelineRequest,
  RestError,
} from '@azure/core-rest-pipeline';
import { describe, expect, it } from '@jest/globals';
import { attemptOnce, type CallBudget, outsideAttempts, sendGate } from './effect.js';
import { armFault } from './faults.js';

type Server = () => Promise<number>;

/** A client whose only policy is the gate, in front of a server that answers with a status or throws. */
function client(server: Server) {
  const pipeline = createEmptyPipeline();
  pipeline.addPolicy(sendGate);
  let sent = 0;
  return {
    get sent() {
      return sent;
    },
    call: async (abortSignal: AbortSignal): Promise<string> => {
      const request = createPipelineRequest({ url: 'https://localhost/', method: 'POST', abortSignal });
      const answer = await pipeline.sendRequest(
        {
          sendRequest: async () => {
            sent += 1;
            return { request, headers: createHttpHeaders(), status: await server() };
          },
        },
        request,
      );
      if (answer.status !== 200) throw new RestError('no', { statusCode: answer.status });
      return 'value';
    },
  };
}

const allowed: CallBudget = { deadlineMs: 5_000, maySend: () => true };
const never = new Promise<never>(() => undefined);

describe('an attempt that is answered', () => {
  it('is done', async () => {
    const { call } = client(() => Promise.resolve(200));
    expect(await attemptOnce(allowed, call, armFault)).toEqual({ outcome: 'done', value: 'value' });
  });

  it.each([400, 403, 404, 409, 429])(
    'is refused with %i, which says that nothing was executed',
    async (status) => {
      const { call } = client(() => Promise.resolve(status));
      expect(await attemptOnce(allowed, call, armFault)).toMatchObject({ outcome: 'refused' });
    },
  );

  it.each([408, 500, 502, 503, 504])('is in doubt with %i', async (status) => {
    const { call } = client(() => Promise.resolve(status));
    expect(await attemptOnce(allowed, call, armFault)).toMatchObject({ outcome: 'in-doubt' });
  });
});

describe('an attempt that was answered by a success which the SDK could not read', () => {
  it('is in doubt: it was executed, and nobody knows what came of it', async () => {
    const { call } = client(() => Promise.resolve(202));
    expect(await attemptOnce(allowed, call, armFault)).toMatchObject({ outcome: 'in-doubt' });
  });
});

describe('an attempt whose connection fails', () => {
  it('is refused when there never was one', async () => {
    const { call } = client(() => Promise.reject(new RestError('no', { code: 'ECONNREFUSED' })));
    expect(await attemptOnce(allowed, call, armFault)).toMatchObject({
      outcome: 'refused',
      fault: { name: 'TransientFault', code: 'unreachable' },
    });
  });

  it('is in doubt when it broke', async () => {
    const { call } = client(() => Promise.reject(new RestError('no', { code: 'ECONNRESET' })));
    expect(await attemptOnce(allowed, call, armFault)).toMatchObject({ outcome: 'in-doubt' });
  });
});

describe('an attempt that may not be sent any more', () => {
  it('is not sent', async () => {
    const server = client(() => Promise.resolve(200));
    const effect = await attemptOnce({ deadlineMs: 5_000, maySend: () => false }, server.call, armFault);
    expect(effect).toMatchObject({ outcome: 'not-sent', code: 'may-not-send' });
    expect(server.sent).toBe(0);
  });

  it('is asked once more when the request is sent again after a challenge', async () => {
    const server = client(() => Promise.resolve(401));
    let asked = 0;
    const once = { deadlineMs: 5_000, maySend: () => (asked += 1) === 1 };
    const twice = async (signal: AbortSignal) => {
      await server.call(signal).catch(() => undefined);
      return server.call(signal);
    };
    expect(await attemptOnce(once, twice, armFault)).toMatchObject({
      outcome: 'not-sent',
      code: 'may-not-send',
    });
    expect(server.sent).toBe(1);
  });
});

describe('an attempt that takes longer than its deadline', () => {
  const short = { deadlineMs: 20, maySend: () => true };

  it('is in doubt when the request had left', async () => {
    const { call } = client(() => never);
    expect(await attemptOnce(short, call, armFault)).toMatchObject({ outcome: 'in-doubt' });
  });

  it('is not sent when it still waited for its token, and stays unsent when the token comes', async () => {
    const server = client(() => Promise.resolve(200));
    let tokenArrives: (() => void) | undefined;
    let late: Promise<string> | undefined;
    const waitsForToken = (signal: AbortSignal): Promise<string> => {
      late = new Promise<void>((resolve) => (tokenArrives = resolve)).then(() => server.call(signal));
      return late;
    };
    expect(await attemptOnce(short, waitsForToken, armFault)).toMatchObject({
      outcome: 'not-sent',
      code: 'deadline-passed',
    });
    tokenArrives?.();
    await expect(late).rejects.toMatchObject({ code: 'deadline-passed' });
    expect(server.sent).toBe(0);
  });
});

describe('an attempt after its deadline', () => {
  it('is not sent even when nothing else had a turn in between', async () => {
    const server = client(() => Promise.resolve(200));
    const busy = (signal: AbortSignal) => {
      const until = performance.now() + 30;
      while (performance.now() < until);
      return server.call(signal);
    };
    expect(await attemptOnce({ deadlineMs: 20, maySend: () => true }, busy, armFault)).toMatchObject({
      outcome: 'not-sent',
      code: 'deadline-passed',
    });
    expect(server.sent).toBe(0);
  });

  it('is told to those who still wait for it', async () => {
    let told: AbortSignal | undefined;
    await attemptOnce(
      { deadlineMs: 20, maySend: () => true },
      (signal) => {
        told = signal;
        return never;
      },
      armFault,
    );
    expect(told?.aborted).toBe(true);
  });
});

describe('an attempt whose request was challenged', () => {
  const challenged = (then: (signal: AbortSignal) => Promise<string>) => async (signal: AbortSignal) => {
    await client(() => Promise.resolve(401))
      .call(signal)
      .catch(() => undefined);
    return then(signal);
  };

  it('is not sent when the token for the second one does not come in time', async () => {
    const call = challenged(() => never);
    expect(await attemptOnce({ deadlineMs: 20, maySend: () => true }, call, armFault)).toMatchObject({
      outcome: 'not-sent',
      code: 'deadline-passed',
    });
  });

  it('is in doubt when the connection of the second one breaks', async () => {
    const call = challenged(client(() => Promise.reject(new RestError('no', { code: 'EPIPE' }))).call);
    expect(await attemptOnce(allowed, call, armFault)).toMatchObject({ outcome: 'in-doubt' });
  });
});

describe('an attempt whose answer was lost before another token was needed', () => {
  it('is in doubt, whatever the identity service answers', async () => {
    const lost = client(() => Promise.reject(new RestError('no', { code: 'ECONNRESET' })));
    const noToken = Object.assign(new Error('invalid_client'), {
      name: 'AuthenticationError',
      statusCode: 400,
    });
    const call = async (signal: AbortSignal): Promise<string> => {
      await lost.call(signal).catch(() => undefined);
      throw noToken;
    };
    expect(await attemptOnce(allowed, call, armFault)).toMatchObject({ outcome: 'in-doubt' });
  });
});

describe('an attempt that gets no token', () => {
  it('is not sent', async () => {
    const noToken = Object.assign(new Error('AADSTS7000215'), { name: 'AuthenticationError' });
    expect(await attemptOnce(allowed, () => Promise.reject(noToken), armFault)).toMatchObject({
      outcome: 'not-sent',
      code: 'token-unavailable',
    });
  });
});

describe('a request that several attempts share', () => {
  it('passes the gate freely and leaves the attempt unsent', async () => {
    const server = client(() => Promise.resolve(200));
    const effect = await attemptOnce(
      { deadlineMs: 5_000, maySend: () => false },
      async (signal) => {
        await outsideAttempts(() => server.call(signal));
        return server.call(signal);
      },
      armFault,
    );
    expect(effect).toMatchObject({ outcome: 'not-sent' });
    expect(server.sent).toBe(1);
  });
});
