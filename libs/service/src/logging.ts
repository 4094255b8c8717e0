import { currentTraceparent } from '@twinkey/journal';
import { currentDelivery } from '@twinkey/nest-service-bus';
import { pino, stdTimeFunctions, type DestinationStream } from 'pino';
import type { Log } from './log.js';
import { loggableFields } from './loggable.js';
import { prettyLine } from './pretty.js';
import { redact } from './redact.js';

export interface LogSettings {
  readonly service: string;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly format: 'json' | 'pretty';
  /** Takes finished lines; standard output unless told. */
  readonly write?: (line: string) => void;
}

/**
 * The log of a service: one line each, redacted as a whole before it leaves. Lines written while a message is
 * handled carry the id of the message and of its trace.
 */
export function openLog({ service, level, format, write }: LogSettings): Log {
  const out = write ?? ((line: string) => void process.stdout.write(line));
  const colour = write === undefined && process.stdout.isTTY;
  const destination: DestinationStream = {
    write:
      format === 'json'
        ? out
        : (line) => {
            out(prettyLine(line, { colour }));
          },
  };
  return pino(
    {
      level,
      base: { service },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: loggableFields },
      mixin: delivery,
      hooks: { streamWrite: redact },
      // pino would otherwise give `err` to a serialiser that copies every property of an error.
      serializers: { err: (error: unknown) => error },
    },
    destination,
  );
}

function delivery(): object {
  const current = currentDelivery();
  const traceId = (currentTraceparent() ?? current?.traceparent)?.split('-')[1];
  return {
    ...(current === undefined ? {} : { messageId: current.id }),
    ...(traceId === undefined ? {} : { traceId }),
  };
}
