import { Module, type DynamicModule } from '@nestjs/common';
import { AccountsController } from './accounts.controller.js';
import { Care } from './care.js';
import { OnRotationEvent } from './on-rotation-event.js';

@Module({})
export class SchedulerModule {
  static of(care: Care): DynamicModule {
    return {
      module: SchedulerModule,
      controllers: [AccountsController, OnRotationEvent],
      providers: [{ provide: Care, useValue: care }],
    };
  }
}
