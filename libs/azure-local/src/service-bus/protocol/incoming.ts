import { codeOf } from '../amqp/descriptors.js';
import { binary, bytesOf, described } from '../amqp/put.js';
import { DecodeError, Described, Reader } from '../amqp/reader.js';
import { fromBare, readBatch, readMessage, type Message } from '../state/message.js';

const APPLICATION_PROPERTIES = 0x74;
const DATA = 0x75;
const BATCH_FORMAT = 0x8001_3700;

/** Reads a message as a client encoded it. Throws `DecodeError`. */
export function readIncoming(payload: Buffer): Message {
  return readMessage(hasNumbers(payload) ? payload : withNumbers(payload));
}

/** Whether every section has the number of its descriptor in its short form, as nearly all clients write it. */
function hasNumbers(payload: Buffer): boolean {
  const reader = new Reader(payload);
  while (!reader.done) {
    if (payload[reader.position] !== 0 || payload[reader.position + 1] !== 0x53) return false;
    reader.pass();
  }
  return true;
}

/** Reads what a transfer carries: one message, or several in an envelope. */
export function readTransferred(payload: Buffer, format: number): Message[] {
  if (format !== BATCH_FORMAT) return [readIncoming(payload)];
  return readBatch(withNumbers(payload, (code, value) => (code === DATA ? withNumbers(value) : value)));
}

/** The message without its body, e.g. for somebody who lists messages. */
export function withoutBody(message: Message): Message {
  const reader = new Reader(message.bare);
  let end = 0;
  while (!reader.done) {
    const section = reader.value();
    if (!(section instanceof Described) || (codeOf(section.descriptor) ?? DATA) > APPLICATION_PROPERTIES)
      break;
    end = reader.position;
  }
  return fromBare(message.header, message.annotations, message.bare.subarray(0, end));
}

/**
 * As much of a message as is whole: its properties, when its body was too large to be kept. Undefined when not even
 * these can be read.
 */
export function readHead(payload: Buffer): Message | undefined {
  const reader = new Reader(payload);
  let end = 0;
  try {
    while (!reader.done) {
      reader.slice();
      end = reader.position;
    }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
  }
  try {
    return end === 0 ? undefined : readIncoming(payload.subarray(0, end));
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/**
 * The same sections, each under the number of its descriptor: what was received with symbolic descriptors is stored
 * like everything else. Returns the bytes themselves when there is nothing to rewrite.
 */
function withNumbers(
  payload: Buffer,
  inner: (code: number, value: Buffer) => Buffer = (_code, value) => value,
): Buffer {
  const reader = new Reader(payload);
  const sections: Buffer[] = [];
  let isSame = true;
  while (!reader.done) {
    const section = reader.slice();
    const rewritten = rewrite(section, inner);
    if (rewritten !== section) isSame = false;
    sections.push(rewritten);
  }
  return isSame ? payload : Buffer.concat(sections);
}

function rewrite(section: Buffer, inner: (code: number, value: Buffer) => Buffer): Buffer {
  if (section[0] !== 0) throw new DecodeError('a message section is not a described value');
  const reader = new Reader(section, 1);
  const descriptor = reader.value();
  const code = codeOf(descriptor);
  if (code === undefined) throw new DecodeError('a message section has no known descriptor');
  let value = section.subarray(reader.position);
  if (code === DATA) {
    const bytes = reader.value();
    if (Buffer.isBuffer(bytes)) {
      const changed = inner(code, bytes);
      if (changed !== bytes) value = bytesOf(binary(changed));
      else if (typeof descriptor === 'number') return section;
    }
  } else if (typeof descriptor === 'number') return section;
  return bytesOf(
    described(
      (to) => {
        to.u8(0x53);
        to.u8(code);
      },
      (to) => {
        to.raw(value);
      },
    ),
  );
}
