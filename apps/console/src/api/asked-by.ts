import { ANYONE, type Caller } from '@twinkey/service';

/** Whom the audit names: the identity that the token proves, or, where no token is asked for, who the request says. */
export function askedBy(caller: Caller, said: string): string {
  return caller.id === ANYONE.id ? said : caller.name;
}
