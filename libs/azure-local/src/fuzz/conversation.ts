import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { FrameCutter } from '../service-bus/amqp/frames.js';

const largestFrame = 65_536;

/** What the clients of one port say to it, cut into protocol headers and frames, one list for each connection. */
export async function overhear(
  port: number,
  talk: (port: number) => Promise<void>,
): Promise<readonly (readonly Buffer[])[]> {
  const heard: Buffer[][] = [];
  const between = createServer((client) => {
    const chunks: Buffer[] = [];
    heard.push(chunks);
    const server = connect(port, '127.0.0.1');
    client.on('data', (chunk) => chunks.push(chunk));
    client.pipe(server).pipe(client);
    for (const socket of [client, server]) {
      socket.on('error', () => {
        client.destroy();
        server.destroy();
      });
    }
  });
  between.listen(0, '127.0.0.1');
  await once(between, 'listening');
  await talk((between.address() as AddressInfo).port);
  between.close();
  return heard
    .map((chunks) => units(Buffer.concat(chunks)))
    .filter((conversation) => conversation.length > 3);
}

/** A conversation has a header before SASL and one after. */
function units(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at + 8 <= bytes.length;) {
    const size = bytes.toString('latin1', at, at + 4) === 'AMQP' ? 8 : bytes.readUInt32BE(at);
    if (size < 8 || size > largestFrame || at + size > bytes.length) break;
    found.push(bytes.subarray(at, at + size));
    at += size;
  }
  return found;
}

/** Everything that can be cut out of a stream of bytes as a frame. Throws `DecodeError`. */
export function framesOf(bytes: Buffer): Buffer[] {
  const cutter = new FrameCutter(largestFrame);
  cutter.feed(bytes);
  const bodies: Buffer[] = [];
  for (let unit = cutter.next(); unit !== undefined; unit = cutter.next()) {
    if ('body' in unit && unit.body.length > 0) bodies.push(unit.body);
  }
  return bodies;
}

/** The frame around another body, with the size that fits. */
export function reframed(frame: Buffer, body: Buffer): Buffer {
  const whole = Buffer.concat([frame.subarray(0, 8), body]);
  if (whole.length >= 4) whole.writeUInt32BE(whole.length); // less is what was left of a frame that was cut off
  return whole;
}
