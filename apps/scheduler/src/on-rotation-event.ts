import { Controller, Inject } from '@nestjs/common';
import { RotationEvent, type Message } from '@twinkey/contracts';
import { OnMessage } from '@twinkey/nest-service-bus';
import { hearRotation } from './hear-rotation.js';
import { Care } from './care.js';

@Controller()
export class OnRotationEvent {
  constructor(@Inject(Care) private readonly care: Care) {}

  @OnMessage(RotationEvent)
  async handle({ data }: Message<RotationEvent>): Promise<void> {
    await hearRotation(this.care.database, data, this.care.clock());
  }
}
