export interface ServerSentEvent {
  readonly id: string;
  readonly data: string;
}

/** Nothing within this time: a proxy holds the stream back, or the connection is dead. */
export class StreamSilent extends Error {
  override readonly name = 'StreamSilent';
}

/**
 * The events of a stream as they come. Throws StreamSilent when not a byte came for `silentAfterMs`; the console
 * says something every 15 seconds. Whoever opened the body closes it.
 */
export async function* readEvents(
  body: AsyncIterable<Uint8Array>,
  { firstByteWithinMs, silentAfterMs }: { firstByteWithinMs: number; silentAfterMs: number },
): AsyncGenerator<ServerSentEvent> {
  const chunks = body[Symbol.asyncIterator]();
  const decoder = new TextDecoder();
  let text = '';
  let patience = firstByteWithinMs;
  for (;;) {
    const chunk = await within(patience, chunks.next());
    if (chunk.done) return;
    patience = silentAfterMs;
    text += decoder.decode(chunk.value, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const event = parseBlock(block);
      if (event) yield event;
    }
  }
}

function parseBlock(block: string): ServerSentEvent | undefined {
  const lines = block.split('\n');
  const field = (name: string) =>
    lines.filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2));
  const data = field('data');
  return data.length === 0 ? undefined : { id: field('id').at(-1) ?? '', data: data.join('\n') };
}

async function within<Value>(ms: number, promise: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  promise.catch(() => undefined); // it may end long after it was given up
  const silent = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new StreamSilent());
    }, ms);
  });
  try {
    return await Promise.race([promise, silent]);
  } finally {
    clearTimeout(timer);
  }
}
