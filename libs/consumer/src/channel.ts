import type { TokenCredential } from '@azure/core-auth';
import {
  accountName,
  acknowledgementText,
  KeyAcknowledged,
  KeyChanged,
  type Message,
  readMessage,
  type RegisterAnswer,
  writeMessage,
} from '@twinkey/contracts';
import { type Bus, type BusSettings, connectBus, type Receiving } from '@twinkey/service-bus';
import { createHash } from 'node:crypto';
import type { Voice } from './voice.js';

/** Where announcements come from and acknowledgements go. */
export interface Channel {
  /** Listens to exactly these subscriptions from now on; earlier ones are let go. */
  listen(
    subscriptions: RegisterAnswer['subscriptions'],
    onKeyChanged: (announcement: KeyChanged) => void,
  ): Promise<void>;
  acknowledge(acknowledgement: KeyAcknowledged): Promise<void>;
  /** What its acknowledgements are signed with; to be registered. Absent: they are not. */
  readonly voice?: string | undefined;
  close(): Promise<void>;
}

export function serviceBusChannel(
  settings: BusSettings,
  credential: TokenCredential | undefined,
  voice: Voice,
): Channel {
  return channelOver(connectBus(settings, credential), voice);
}

export function channelOver(bus: Pick<Bus, 'send' | 'receive' | 'close'>, voice?: Voice): Channel {
  let listening: Receiving[] = [];
  return {
    voice: voice?.publicKey,
    async listen(subscriptions, onKeyChanged) {
      const former = listening;
      listening = await Promise.all(
        subscriptions.map((source) =>
          bus.receive(source, {}, (received) => {
            const read = readMessage(KeyChanged, received.body);
            if (!read.ok) {
              return Promise.resolve({
                settle: 'dead-letter',
                reason: 'UnreadableMessage',
                description: read.problem,
              } as const);
            }
            // Done with it once it is heard: whatever goes wrong from here on, the next heartbeat names the generation too.
            onKeyChanged(read.message.data);
            return Promise.resolve({ settle: 'complete' } as const);
          }),
        ),
      );
      await Promise.all(former.map((each) => each.close()));
    },
    async acknowledge(acknowledgement) {
      const signed =
        voice === undefined
          ? acknowledgement
          : { ...acknowledgement, signature: voice.sign(acknowledgementText(acknowledgement)) };
      const message = acknowledgementMessage(signed);
      await bus.send(KeyAcknowledged.entity, [
        { id: message.id, body: message, subject: accountName(acknowledgement.account) },
      ]);
    },
    close: () => bus.close(),
  };
}

function acknowledgementMessage(data: KeyAcknowledged): Message<KeyAcknowledged> {
  const { account, instance, boot, generation } = data;
  // Account ids are longer than a message id may be.
  const about = createHash('sha256').update(`${account} ${instance} ${boot}`).digest('hex').slice(0, 32);
  return writeMessage(KeyAcknowledged, {
    id: `acknowledged-${about}-${generation}`,
    source: 'twinkey/consumer',
    subject: accountName(account),
    time: new Date(data.at),
    data,
  });
}
