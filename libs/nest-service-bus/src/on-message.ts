import { UseFilters, type PipeTransform } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { PermanentFault, readMessage, type Contract, type Message } from '@twinkey/contracts';
import type { BusContext } from './context.js';
import { RethrowFilter } from './rethrow.js';

export type Handler<Data> = (message: Message<Data>, context: BusContext) => Promise<void>;

/**
 * Makes a method of a controller the handler of one kind of message. The method gets the parsed message; what it
 * returns or throws settles it (see `settlementOf`). A body that breaks the contract never reaches the method: it
 * is dead-lettered as `UnreadableMessage`. A method for another payload type does not compile.
 */
export function OnMessage<Data>(
  contract: Contract<Data>,
): <Method extends Handler<Data>>(
  target: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<Method>,
) => void {
  return (target, method, descriptor) => {
    Payload(new ReadMessagePipe(contract))(target, method, 0);
    Ctx()(target, method, 1);
    // Nest types its method decorators for any method; ours is narrower.
    const plain = descriptor as PropertyDescriptor;
    UseFilters(RethrowFilter)(target, method, plain);
    (EventPattern(contract.type) as MethodDecorator)(target, method, plain);
  };
}

class ReadMessagePipe<Data> implements PipeTransform<unknown, Message<Data>> {
  constructor(private readonly contract: Contract<Data>) {}

  transform(body: unknown): Message<Data> {
    const read = readMessage(this.contract, body);
    if (read.ok) return read.message;
    throw new PermanentFault('UnreadableMessage', `The body is no ${this.contract.type}: ${read.problem}.`);
  }
}
