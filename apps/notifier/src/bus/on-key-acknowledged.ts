import { Controller, Inject } from '@nestjs/common';
import { KeyAcknowledged, type AccountId, type Message } from '@twinkey/contracts';
import { OnMessage } from '@twinkey/nest-service-bus';
import { acknowledgeTogether } from '../acknowledge.js';
import { Gathering } from '../gathering.js';
import { SHELL, type Shell } from '../shell.js';

/** Transactions at the same time: the looks at accounts and the requests over HTTP need connections too. */
const ACCOUNTS_AT_ONCE = 4;
const MOST_TOGETHER = 250;

@Controller()
export class OnKeyAcknowledged {
  private readonly gathering: Gathering<AccountId, Message<KeyAcknowledged>>;

  constructor(@Inject(SHELL) shell: Shell) {
    this.gathering = new Gathering(
      (account, messages, turn) => acknowledgeTogether(shell, account, messages, turn),
      { atOnce: ACCOUNTS_AT_ONCE, most: MOST_TOGETHER },
    );
  }

  @OnMessage(KeyAcknowledged)
  async handle(message: Message<KeyAcknowledged>): Promise<void> {
    await this.gathering.add(message.data.account, message);
  }
}
