import { describe, expect, it } from '@jest/globals';
import { NotFoundException } from '@nestjs/common';
import { Interrupted, PermanentFault, TransientFault } from '@twinkey/contracts';
import { z } from 'zod';
import { HttpProblem, problemOf } from './problem.js';

const body = (error: unknown) => problemOf(error).body;

describe('an error over HTTP', () => {
  it('that a controller chose is what it chose', () => {
    expect(body(new HttpProblem(409, 'rotation-open', 'A rotation of this account is open.'))).toEqual({
      type: 'urn:twinkey:problem:rotation-open',
      title: 'Conflict',
      status: 409,
      detail: 'A rotation of this account is open.',
      code: 'rotation-open',
    });
  });

  it('of the input names field and rule', () => {
    const { error } = z.object({ name: z.string() }).safeParse({});
    expect(body(error)).toMatchObject({
      status: 400,
      code: 'invalid-request',
      detail: expect.stringMatching(/^name: /),
    });
  });

  it('that passes says when to ask again', () => {
    expect(
      problemOf(new TransientFault('database-unreachable', 'No.', { retryAfterMs: 1_200 })),
    ).toMatchObject({
      body: { status: 503, code: 'database-unreachable' },
      retryAfterSeconds: 2,
    });
    expect(body(new Interrupted('lease-lost', 'No.'))).toMatchObject({ status: 503, code: 'lease-lost' });
  });

  it('that stays says what a person can do', () => {
    expect(body(new PermanentFault('gone', 'It is gone.', { remedy: 'Remove it.' }))).toMatchObject({
      status: 500,
      detail: 'It is gone. Remove it.',
    });
  });

  it('of the framework has a code of ours', () => {
    expect(body(new NotFoundException('Cannot GET /x'))).toMatchObject({ status: 404, code: 'not-found' });
    const tooLarge = Object.assign(new Error('Body is too large'), { statusCode: 413 });
    expect(body(tooLarge)).toMatchObject({ status: 413, code: 'payload-too-large' });
  });

  it('that is a defect says nothing of itself', () => {
    const problem = problemOf(new TypeError('x is undefined'));
    expect(problem).toMatchObject({ body: { status: 500, code: 'defect' }, defect: true });
    expect(JSON.stringify(problem)).not.toContain('undefined');
  });
});
