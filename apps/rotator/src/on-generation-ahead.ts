import { Controller } from '@nestjs/common';
import { GenerationAhead, type Message } from '@twinkey/contracts';
import { OnMessage } from '@twinkey/nest-service-bus';
import { decideAhead } from '@twinkey/rotation';
import { Inputs } from './inputs.js';

@Controller()
export class OnGenerationAhead {
  constructor(private readonly inputs: Inputs) {}

  /** Drift, unless the notifier only hears of a publication later than the instance does. */
  @OnMessage(GenerationAhead)
  async handle({ id, data }: Message<GenerationAhead>): Promise<void> {
    const { account, generation, consumer, instance } = data;
    await this.inputs.take({
      account,
      messageId: id,
      handler: 'generation-ahead',
      decide: (ring, now) => decideAhead(ring, { generation, who: `${consumer}/${instance}` }, now),
    });
  }
}
