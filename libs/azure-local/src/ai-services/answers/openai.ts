import { createHash } from 'node:crypto';
import { isObject, json, jsonObject, type Incoming, type Reply } from '../../host/plugin.js';
import { pathOf } from '../protocol.js';
import { embeddingOf } from './embedding.js';
import { eventStream } from './event-stream.js';
import { textOf } from './text.js';

type Fields = Readonly<Record<string, unknown>>;

/** Answers are the same every time, dates and all. */
const madeAt = 1_700_000_000;
const modelNames = ['gpt-4o', 'gpt-4o-mini', 'text-embedding-3-small'];
const defaultDimensions = 1536;

/** The model echoes the last thing said to it. `undefined` for routes that have no answer here. */
export function answerOpenAi(request: Incoming): Reply | undefined {
  const route = `${request.method} ${pathOf(request)}`;
  if (/^GET openai\/(v1\/)?models$/.test(route))
    return json(200, { object: 'list', data: modelNames.map(modelOf) });
  const model = /^GET openai\/(?:v1\/)?models\/(.+)$/.exec(route)?.[1];
  if (model !== undefined) return json(200, modelOf(model));
  const verb =
    /^POST openai\/(?:v1|deployments\/[^/]+)\/(chat\/completions|completions|embeddings)$/.exec(route)?.[1] ??
    /^POST openai\/(?:v1\/)?(responses)$/.exec(route)?.[1];
  if (verb === undefined) return undefined;
  const asked = jsonObject(request.body);
  if (asked === undefined) return refused('We could not parse the JSON body of your request.');
  const deployment = request.segments[2]?.toLowerCase() === 'deployments' ? request.segments[3] : undefined;
  const named = { ...asked, model: textOf(asked['model']) || (deployment ?? 'local') };
  switch (verb) {
    case 'chat/completions':
      return chat(named);
    case 'completions':
      return complete(named);
    case 'embeddings':
      return embed(named);
    default:
      return respond(named);
  }
}

function modelOf(id: string) {
  const isEmbedding = id.includes('embedding');
  return {
    id,
    object: 'model',
    created: madeAt,
    created_at: madeAt,
    owned_by: 'azure-openai',
    status: 'succeeded',
    lifecycle_status: 'generally-available',
    capabilities: {
      inference: true,
      chat_completion: !isEmbedding,
      embeddings: isEmbedding,
      fine_tune: false,
      completion: false,
    },
  };
}

function chat(asked: Fields): Reply {
  const { messages } = asked;
  if (!Array.isArray(messages) || messages.length === 0)
    return refused("Missing required parameter: 'messages'.", 'messages');
  const last: unknown = messages.at(-1);
  const content = isObject(last) ? saidIn(last['content']) : '';
  const usage = usageOf(JSON.stringify(messages), content);
  const head = { id: `chatcmpl-${markOf(asked)}`, created: madeAt, model: asked['model'] };
  if (asked['stream'] !== true) {
    const message = { role: 'assistant', content, refusal: null };
    return json(200, {
      ...head,
      object: 'chat.completion',
      choices: [{ index: 0, message, finish_reason: 'stop', logprobs: null }],
      usage,
    });
  }
  const chunk = (delta: Fields, finish: string | null = null) => ({
    ...head,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, finish_reason: finish, logprobs: null }],
  });
  const options = asked['stream_options'];
  const counts = isObject(options) && options['include_usage'] === true;
  return eventStream([
    chunk({ role: 'assistant', content: '', refusal: null }),
    ...piecesOf(content).map((piece) => chunk({ content: piece })),
    chunk({}, 'stop'),
    ...(counts ? [{ ...head, object: 'chat.completion.chunk', choices: [], usage }] : []),
    '[DONE]',
  ]);
}

function complete(asked: Fields): Reply {
  const text = saidIn(asked['prompt']);
  return json(200, {
    id: `cmpl-${markOf(asked)}`,
    object: 'text_completion',
    created: madeAt,
    model: asked['model'],
    choices: [{ index: 0, text, finish_reason: 'stop', logprobs: null }],
    usage: usageOf(text, text),
  });
}

function embed(asked: Fields): Reply {
  const { input, dimensions } = asked;
  const texts = (Array.isArray(input) ? input : [input]).filter((one) => typeof one === 'string');
  if (texts.length === 0) return refused("Missing required parameter: 'input'.", 'input');
  const wanted = typeof dimensions === 'number' && dimensions > 0 ? dimensions : defaultDimensions;
  const { prompt_tokens, total_tokens } = usageOf(texts.join(' '), '');
  return json(200, {
    object: 'list',
    data: texts.map((text, index) => {
      const vector = embeddingOf(text, Math.min(wanted, 4096));
      const packed = Buffer.from(Float32Array.from(vector).buffer).toString('base64');
      return {
        object: 'embedding',
        index,
        embedding: asked['encoding_format'] === 'base64' ? packed : vector,
      };
    }),
    model: asked['model'],
    usage: { prompt_tokens, total_tokens },
  });
}

function respond(asked: Fields): Reply {
  const { input } = asked;
  const last: unknown = Array.isArray(input) ? input.at(-1) : undefined;
  const text = isObject(last) ? saidIn(last['content']) : saidIn(input);
  if (input === undefined) return refused("Missing required parameter: 'input'.", 'input');
  const { prompt_tokens, completion_tokens, total_tokens } = usageOf(JSON.stringify(input), text);
  const mark = markOf(asked);
  const content = [{ type: 'output_text', text, annotations: [], logprobs: [] }];
  const message = { type: 'message', id: `msg_${mark}`, status: 'completed', role: 'assistant', content };
  const response = {
    id: `resp_${mark}`,
    object: 'response',
    created_at: madeAt,
    status: 'completed',
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: {},
    model: asked['model'],
    output: [message],
    parallel_tool_calls: true,
    temperature: 1,
    text: { format: { type: 'text' } },
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    truncation: 'disabled',
    usage: {
      input_tokens: prompt_tokens,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: completion_tokens,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens,
    },
  };
  if (asked['stream'] !== true) return json(200, response);
  const started = { ...response, status: 'in_progress', output: [] };
  const place = { item_id: message.id, output_index: 0, content_index: 0 };
  const events = [
    { type: 'response.created', response: started },
    ...piecesOf(text).map((delta) => ({ type: 'response.output_text.delta', ...place, delta, logprobs: [] })),
    { type: 'response.output_text.done', ...place, text, logprobs: [] },
    { type: 'response.completed', response },
  ];
  return eventStream(events.map((event, at) => ({ ...event, sequence_number: at })));
}

/** A text, or the texts among the parts of a message. */
function saidIn(content: unknown): string {
  if (!Array.isArray(content)) return textOf(content);
  return content.map((part: unknown) => (isObject(part) ? textOf(part['text']) : textOf(part))).join('');
}

/** Streams come word by word. */
function piecesOf(text: string): readonly string[] {
  return text.match(/\s*\S+\s*$|\s*\S+/g) ?? [];
}

/** A token is about four letters. */
function usageOf(prompt: string, completion: string) {
  const [prompt_tokens, completion_tokens] = [prompt, completion].map((text) =>
    Math.ceil(text.length / 4),
  ) as [number, number];
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
}

function markOf(asked: Fields): string {
  return createHash('sha256').update(JSON.stringify(asked)).digest('hex').slice(0, 24);
}

function refused(message: string, param: string | null = null): Reply {
  return json(400, { error: { message, type: 'invalid_request_error', param, code: null } });
}
