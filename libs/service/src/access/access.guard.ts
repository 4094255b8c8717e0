import { createParamDecorator, SetMetadata, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { HttpProblem } from '../problem.js';
import { ANYONE, callerOf, rolesThatInclude, type Caller, type Role } from './caller.js';
import type { RequestBudget } from './request-budget.js';
import type { VerifyToken } from './token-verifier.js';

const ROLE = 'twinkey:role';

/** What a caller must be to reach a route, or all routes of a controller. `nobody-asked` opens it to all: health only. */
export const Allow = (role: Role | 'nobody-asked') => SetMetadata(ROLE, role);

/** The role that a handler or else its controller asks for. */
export function roleOf(handler: object, controller: object): Role | 'nobody-asked' | undefined {
  const found: unknown = Reflect.getMetadata(ROLE, handler) ?? Reflect.getMetadata(ROLE, controller);
  return found as Role | 'nobody-asked' | undefined;
}

const callers = new WeakMap<FastifyRequest, Caller>();

/** Injects who asks. */
export const Asking = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const caller = callers.get(context.switchToHttp().getRequest<FastifyRequest>());
  if (caller === undefined) throw new Error('The route asks for a caller and for no role');
  return caller;
});

/** Lets a request through whose token carries the role of the route. A route that names no role is closed. */
export class AccessGuard implements CanActivate {
  constructor(
    /** Absent: no token is asked for, and everybody may do everything. */
    private readonly verify: VerifyToken | undefined,
    private readonly audience: string | undefined,
    /** Counts what each identity asks. Absent, or where no token tells callers apart: nothing is counted. */
    private readonly budget?: RequestBudget,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') return true; // messages: Service Bus has checked who may send them
    const role = roleOf(context.getHandler(), context.getClass());
    if (role === 'nobody-asked') return true;
    if (role === undefined) throw new HttpProblem(403, 'route-closed', 'This route is open to nobody.');
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const caller = await this.#callerOf(request.headers.authorization);
    callers.set(request, caller);
    this.#assertWithinBudget(caller);
    if (caller.roles.has(role)) return true;
    throw new HttpProblem(
      403,
      'role-missing',
      `${caller.name} (${caller.id}) lacks the app role for this: assign ${rolesThatInclude(role).join(' or ')}.`,
    );
  }

  #assertWithinBudget({ id, name }: Caller): void {
    if (this.verify === undefined || this.budget === undefined) return;
    const waitMs = this.budget.take(id);
    if (waitMs === 0) return;
    throw new HttpProblem(
      429,
      'too-many-requests',
      `${name} (${id}) asks more often than TWINKEY_REQUESTS_PER_SECOND allows. Ask again when Retry-After says so; raise the setting if so many processes share this identity.`,
      { retryAfterSeconds: Math.ceil(waitMs / 1_000) },
    );
  }

  async #callerOf(authorization: string | undefined): Promise<Caller> {
    if (this.verify === undefined) return ANYONE;
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    const remedy = `Send "Authorization: Bearer" with an Entra token for ${this.audience ?? 'this API'}.`;
    if (token === undefined) throw new HttpProblem(401, 'token-missing', `No token came along. ${remedy}`);
    const verified = await this.verify(token);
    if ('claims' in verified) return callerOf(verified.claims);
    throw new HttpProblem(401, 'token-not-accepted', `The token ${verified.refused}. ${remedy}`);
  }
}
