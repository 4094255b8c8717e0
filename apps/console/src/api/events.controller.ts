import type { ServerResponse } from 'node:http';
import { Controller, Get, Headers, Inject, Param, Query, Res } from '@nestjs/common';
import { Allow, Asking, type Caller } from '@twinkey/service';
import type { z } from 'zod';
import { CLOCK, DATABASE, type Clock, type ConsoleDatabase } from '../parts.js';
import { eventsAfter } from '../read-model/feed.js';
import { Pulse } from '../read-model/pulse.js';
import type { EventList } from './answers.js';
import { streamEvents } from './event-stream.js';
import { theRotation } from './look-up.js';
import { OpenStreams } from './open-streams.js';
import { parse } from './parse.js';
import { EventsQuery, RotationPath } from './questions.js';

/** What is used of Fastify's reply. */
interface Reply {
  readonly raw: ServerResponse;
  hijack(): unknown;
  send(body: EventList): unknown;
}

interface Headed {
  readonly accept?: string;
  readonly 'last-event-id'?: string;
}

@Allow('read')
@Controller('v1')
export class EventsController {
  constructor(
    @Inject(DATABASE) private readonly database: ConsoleDatabase,
    private readonly pulse: Pulse,
    private readonly streams: OpenStreams,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get('events')
  async all(
    @Query(parse(EventsQuery)) query: EventsQuery,
    @Headers() headers: Headed,
    @Asking() caller: Caller,
    @Res() reply: Reply,
  ): Promise<void> {
    await this.answer(query, headers, caller, reply);
  }

  @Get('rotations/:id/events')
  async ofRotation(
    @Param(parse(RotationPath)) { id }: z.infer<typeof RotationPath>,
    @Query(parse(EventsQuery)) query: EventsQuery,
    @Headers() headers: Headed,
    @Asking() caller: Caller,
    @Res() reply: Reply,
  ): Promise<void> {
    const rotation = await theRotation(this.database, id);
    await this.answer(query, headers, caller, reply, rotation.id);
  }

  private async answer(
    { after, limit, watch }: EventsQuery,
    headers: Headed,
    { until = Infinity }: Caller,
    reply: Reply,
    rotation?: string,
  ): Promise<void> {
    const of = rotation === undefined ? {} : { rotation };
    if (watch !== undefined || headers.accept?.includes('text/event-stream')) {
      const resumed = Number(headers['last-event-id'] ?? Number.NaN);
      const from = Number.isSafeInteger(resumed) ? resumed : after;
      const isOver = () => this.clock().getTime() >= until;
      await this.streams.send(() => {
        reply.hijack();
        return streamEvents(this.database, this.pulse, reply.raw, { ...of, after: from, isOver });
      });
      return;
    }
    const events = await eventsAfter(this.database, { ...of, after, limit });
    const answer: EventList = { events, after: events.at(-1)?.position ?? after };
    reply.send(answer);
  }
}
