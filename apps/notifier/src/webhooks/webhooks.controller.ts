import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ConsumerName } from '@twinkey/contracts';
import { Allow, Asking, type Caller } from '@twinkey/service';
import { z } from 'zod';
import { parse } from '../http/parse.js';
import { SHELL, type Shell } from '../shell.js';
import { askForResend, askForTest, type Asked, type Asker } from './ask.js';
import { showDeliveries, showWebhooks, type ShownDelivery, type ShownWebhook } from './show.js';
import { Webhooks } from './webhooks.js';

const Endpoint = z.object({ consumer: ConsumerName });
const number = z
  .string()
  .regex(/^\d{1,15}$/, 'must be a number')
  .transform(Number);
const One = Endpoint.extend({ delivery: number });
const Log = z.object({
  limit: number.pipe(z.int().min(1).max(200)).default(20),
  delivery: number.optional(),
});
/** Who asks, where no token says so. */
const AskedBy = z.object({ by: z.string().min(1).max(200).default('anyone') });

const Keyed = z.object({ 'idempotency-key': z.string().trim().min(1).max(200).optional() });

/** For people: which endpoints there are, what they were sent, and to try them. */
@Allow('read')
@Controller('v1/webhooks')
export class WebhooksController {
  constructor(
    @Inject(SHELL) private readonly shell: Shell,
    @Inject(Webhooks) private readonly webhooks: Webhooks,
  ) {}

  @Get()
  async list(): Promise<{ webhooks: readonly ShownWebhook[] }> {
    return { webhooks: await showWebhooks(this.shell, this.webhooks.post) };
  }

  @Get(':consumer/deliveries')
  async log(
    @Param() path: unknown,
    @Query() query: unknown,
  ): Promise<{ deliveries: readonly ShownDelivery[] }> {
    const { consumer } = parse(Endpoint, path);
    return { deliveries: await showDeliveries(this.shell, consumer, parse(Log, query)) };
  }

  @Allow('operate')
  @Post(':consumer/test')
  @HttpCode(202)
  async test(
    @Param() path: unknown,
    @Body() body: unknown,
    @Headers() headers: unknown,
    @Asking() caller: Caller,
  ): Promise<Asked> {
    const { consumer } = parse(Endpoint, path);
    const asked = await askForTest(this.shell, consumer, askerOf(caller, body, headers));
    this.webhooks.dispatcher.soon();
    return asked;
  }

  @Allow('operate')
  @Post(':consumer/deliveries/:delivery/resend')
  @HttpCode(202)
  async resend(
    @Param() path: unknown,
    @Body() body: unknown,
    @Headers() headers: unknown,
    @Asking() caller: Caller,
  ): Promise<Asked> {
    const { consumer, delivery } = parse(One, path);
    const asked = await askForResend(this.shell, consumer, delivery, askerOf(caller, body, headers));
    this.webhooks.dispatcher.soon();
    return asked;
  }
}

function askerOf(caller: Caller, body: unknown, headers: unknown): Asker {
  const by = caller.id === 'anyone' ? parse(AskedBy, body ?? {}).by : caller.name;
  return { by, key: parse(Keyed, headers)['idempotency-key'] };
}
