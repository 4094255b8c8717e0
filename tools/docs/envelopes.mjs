// The envelopes of messages as JSON schemas. What they accept is held against what the contracts accept by
// tools/deploy/src/messages-document.spec.ts.

/** A CloudEvent of ours with this type and data. */
export function envelopeOf(type, data) {
  return {
    type: 'object',
    required: ['specversion', 'id', 'source', 'type', 'time', 'data'],
    properties: {
      specversion: { const: '1.0' },
      id: {
        type: 'string',
        minLength: 1,
        maxLength: 128,
        description:
          'Also the message id on the bus; derived from what the message means, so that saying it twice gives one id.',
      },
      source: { type: 'string', minLength: 1, description: '`twinkey/` and the service.' },
      type: { const: type },
      subject: { type: 'string', description: 'The name of the account.' },
      time: {
        type: 'string',
        format: 'date-time',
        pattern: 'Z$',
        description: 'When it was written, in UTC.',
      },
      datacontenttype: { const: 'application/json' },
      traceparent: { type: 'string', description: 'W3C trace context.' },
      data,
    },
  };
}

const data = { type: 'object', description: 'Azure spells its fields with a small or a large first letter.' };

/** What Event Grid delivers: one event or a list of them, in its own schema or as CloudEvents. */
const event = {
  anyOf: [
    {
      title: 'CloudEvents',
      type: 'object',
      required: ['specversion', 'id', 'type', 'time', 'data'],
      properties: {
        specversion: { const: '1.0' },
        id: { type: 'string', minLength: 1 },
        type: { type: 'string', minLength: 1 },
        time: { type: 'string' },
        data,
      },
    },
    {
      title: 'Event Grid',
      type: 'object',
      required: ['id', 'eventType', 'eventTime', 'data'],
      properties: {
        id: { type: 'string', minLength: 1 },
        eventType: { type: 'string', minLength: 1 },
        eventTime: { type: 'string' },
        data,
      },
    },
  ],
};

export const azureEvent = {
  description:
    '`Microsoft.KeyVault.SecretNewVersionCreated` and `Microsoft.Resources.ResourceActionSuccess` are read, all others are let go.',
  anyOf: [event, { type: 'array', items: event }],
};
