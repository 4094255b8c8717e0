import { Controller } from '@nestjs/common';
import { RegistryEvent, type Message } from '@twinkey/contracts';
import { OnMessage } from '@twinkey/nest-service-bus';
import { Accounts } from './accounts.js';
import { Advance } from './advance.js';

@Controller()
export class OnRegistryEvent {
  constructor(
    private readonly accounts: Accounts,
    private readonly advance: Advance,
  ) {}

  /** A newly declared account gets its first publication at once, so that consumers find a key. */
  @OnMessage(RegistryEvent)
  async handle({ data: { version, what } }: Message<RegistryEvent>): Promise<void> {
    switch (what.event) {
      case 'account-declared':
        await this.accounts.declare(what.settings, version);
        this.advance.wake(what.settings.account);
        return;
      case 'account-withdrawn':
        await this.accounts.withdraw(what.account, version);
        return;
      case 'consumers-changed':
      case 'use-told':
      case 'consumer-declared':
      case 'consumer-withdrawn':
      case 'service-alive':
        return;
      default:
        throw new Error('unknown registry event');
    }
  }
}
