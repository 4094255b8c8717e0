import { describe, expect, it } from '@jest/globals';
import { PermanentFault } from '@twinkey/contracts';
import { openLog } from './logging.js';
import { redact } from './redact.js';

function logged(write: (log: ReturnType<typeof openLog>) => void, format: 'json' | 'pretty' = 'json') {
  const lines: string[] = [];
  write(openLog({ service: 'rotator', level: 'info', format, write: (line) => lines.push(line) }));
  return lines;
}

// Put together here, because scanners of repositories would take the finished thing for a real one.
const newKey = ['Ab3'.repeat(17), 'Z', 'JQQ', 'J99BC', 'x1'.repeat(8), 'Q', 'm2'.repeat(3), 'k'].join('');
const oldKey = '0a1b'.repeat(8);
const token = ['eyJhbGciOiJub25lIn0', 'eyJzdWIiOiJ4In0xxxx', 'c2ln'].join('.');

describe('a log line', () => {
  it('names time, level, service and sentence', () => {
    const [line = ''] = logged((log) => {
      log.info({ account: 'contoso-speech' }, 'Rotation completed');
    });
    expect(JSON.parse(line)).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      service: 'rotator',
      account: 'contoso-speech',
      msg: 'Rotation completed',
    });
    expect(line.endsWith('\n')).toBe(true);
  });

  it('below the level is left out', () => {
    expect(
      logged((log) => {
        log.debug({}, 'x');
      }),
    ).toEqual([]);
  });

  it('shows of an error what explains it, and nothing of its request', () => {
    const cause = Object.assign(new Error('No.'), {
      statusCode: 403,
      request: { headers: { authorization: 'hush' } },
    });
    const error = Object.assign(new PermanentFault('access-refused', 'Refused.', { cause, remedy: 'Ask.' }), {
      response: { body: 'hush' },
    });
    for (const fields of [{ err: error }, { reason: error }]) {
      const [line = ''] = logged((log) => {
        log.error(fields, 'It failed');
      });
      expect(Object.values(JSON.parse(line) as object)).toContainEqual({
        name: 'PermanentFault',
        code: 'access-refused',
        message: 'Refused.',
        remedy: 'Ask.',
        cause: { name: 'Error', message: 'No.', statusCode: 403 },
      });
      expect(line).not.toContain('hush');
    }
  });

  it('keeps the stack of a defect', () => {
    const [line = ''] = logged((log) => {
      log.error({ err: new TypeError('x') }, 'A defect');
    });
    expect(JSON.parse(line)).toHaveProperty('err.stack', expect.stringContaining('logging.spec'));
  });

  it('is short and readable on a terminal', () => {
    const [line = ''] = logged((log) => {
      log.warn({ code: 'throttled', attempt: 2, err: new Error('boom') }, 'Waiting');
    }, 'pretty');
    const [head, ...stack] = line.split('\n');
    expect(head).toMatch(/^\d\d:\d\d:\d\d\.\d{3} warn {2}rotator {3}Waiting code=throttled attempt=2$/);
    expect(stack[0]).toBe('    Error: boom');
  });

  it('carries no key, whatever it was put into', () => {
    const lines = logged((log) => {
      log.info({ key1: oldKey, nested: { deep: [newKey] } }, `key2: ${oldKey}, ${newKey}`);
      log.error({ err: new Error(`Bearer ${token}`) }, `SharedAccessKey=hush;x`);
      log.child({ apiKey: oldKey }).warn({}, 'from a child');
    });
    for (const secret of [oldKey, newKey, token, 'hush']) expect(lines.join('')).not.toContain(secret);
    for (const line of lines) expect(() => JSON.parse(line) as unknown).not.toThrow();
  });
});

describe('redaction', () => {
  it.each([
    [`{"Ocp-Apim-Subscription-Key":"${oldKey}"}`, '{"Ocp-Apim-Subscription-Key":"‹redacted›"}'],
    [`api-key: ${oldKey}`, 'api-key: ‹redacted›'],
    [`"{\\"key1\\":\\"${oldKey}\\"}"`, '"{\\"key1\\":\\"‹redacted›\\"}"'],
    [`x${newKey}`, `x${newKey}`], // longer words are something else
    [newKey, '‹redacted›'],
    [`Authorization: Bearer ${token}`, 'Authorization: Bearer ‹redacted›'],
    [
      'Endpoint=sb://x/;SharedAccessKeyName=root;SharedAccessKey=aGFo=;y',
      'Endpoint=sb://x/;SharedAccessKeyName=root;SharedAccessKey=‹redacted›;y',
    ],
    ['https://x/y?sv=1&sig=abc%3D&se=2', 'https://x/y?sv=1&sig=‹redacted›&se=2'],
    ['postgres://twinkey:hush@db:5432/x', 'postgres://twinkey:‹redacted›@db:5432/x'],
    ['client_id=a&client_secret=hush&x=1', 'client_id=a&client_secret=‹redacted›&x=1'],
  ])('%s', (text, without) => {
    expect(redact(text)).toBe(without);
  });

  it.each([
    `{"fingerprint":"${oldKey}"}`,
    'http://127.0.0.1:4700/health/ready',
    'sb://localhost:5671',
    'rotation r-0123456789ab of contoso-speech',
    '{"url":"http://[::1]:4700","user":"a@b"}',
  ])('leaves %s as it is', (text) => {
    expect(redact(text)).toBe(text);
  });
});
