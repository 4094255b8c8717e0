import { AMQP_HEADER, FrameCutter, SASL_HEADER } from './frames.js';
import type { Link } from './link.js';
import {
  BEGIN,
  CLOSE,
  close,
  end,
  END,
  open,
  OPEN,
  readPerformative,
  SASL_INIT,
  saslMechanisms,
  saslOutcome,
  type AmqpError,
} from './performatives.js';
import type { Put } from './put.js';
import { DecodeError } from './reader.js';
import { encodedField, Session } from './session.js';
import { Writer } from './writer.js';

const MAX_FRAME_BYTES = 65_536;
const CHANNEL_MAX = 4095;
/** Half of what most clients allow for; a peer that is silent for twice this long is gone. */
const IDLE_TIMEOUT_MS = 120_000;
const SMALLEST_FRAME_BYTES = 512;
/** Small enough for 1,000 connections, large enough that a busy one seldom needs another. */
const OUTPUT_SLAB_BYTES = 32_768;
/** Some fifteen short messages: few enough for the peer to begin early, enough not to feel the further write. */
const HEAD_START_BYTES = 8192;

/** MSSBCBS is for other SDKs: as with ANONYMOUS, the authorisation happens at $cbs. Only PLAIN brings credentials. */
const MECHANISMS = ['ANONYMOUS', 'MSSBCBS', 'PLAIN', 'EXTERNAL'];

/** Where the bytes go: a socket, a TLS socket or a WebSocket. */
export interface Wire {
  write(bytes: Buffer): void;
  /** Ends the stream after what was written. */
  end(): void;
  destroy(): void;
}

export interface ConnectionHost {
  readonly containerId: string;
  /** Whether the client may come in; for PLAIN `response` holds its name and key. */
  admits(connection: Connection, mechanism: string, response: Buffer): boolean;
  attached(link: Link): void;
  /** Something waits to be written; the host calls `flush` at the end of the current turn. */
  touched(connection: Connection): void;
  /** Hands what has changed to the journal: called before bytes are written outside of a turn. */
  record(): void;
  closed(connection: Connection): void;
  complain(connection: Connection, error: unknown): void;
}

/**
 * The server's side of an AMQP 1.0 connection.
 *
 *   header ──SASL──► sasl ──init──► header ──AMQP──► opening ──open──► open ──close, error, end of stream──► over
 *
 * A protocol error ends this connection with an AMQP error and nothing else.
 */
export class Connection {
  private mode: 'header' | 'sasl' | 'opening' | 'open' | 'over' = 'header';
  private readonly cutter = new FrameCutter(MAX_FRAME_BYTES);
  private readonly sessions = new Map<number, Session>();
  private readonly settling = new Set<Session>();
  private readonly out = new Writer(OUTPUT_SLAB_BYTES);
  private body: Buffer = Buffer.alloc(0);
  private peerFrameBytes = SMALLEST_FRAME_BYTES;
  private heartbeat: NodeJS.Timeout | undefined;
  private watch: NodeJS.Timeout | undefined;
  private heardFrom = true;
  private wroteSinceBeat = false;
  hostname = '';

  constructor(
    private readonly wire: Wire,
    private readonly host: ConnectionHost,
  ) {}

  get isOver(): boolean {
    return this.mode === 'over';
  }

  receive(chunk: Buffer): void {
    if (this.mode === 'over') return;
    this.heardFrom = true;
    try {
      this.cutter.feed(chunk);
      for (let unit = this.cutter.next(); unit !== undefined; unit = this.cutter.next()) {
        if ('header' in unit) this.onHeader(unit.header);
        else if (unit.type === 'sasl') this.onSasl(unit.body);
        else if (unit.body.length > 0) this.onFrame(unit.channel, unit.body);
        if (this.isOver) return;
      }
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(error: unknown): void {
    this.host.complain(this, error);
    const condition = error instanceof DecodeError ? 'amqp:decode-error' : 'amqp:internal-error';
    const description = error instanceof DecodeError ? error.message : 'The broker failed on this connection';
    this.close({ condition, description });
  }

  private onHeader(header: Buffer): void {
    if (header.equals(SASL_HEADER)) {
      this.mode = 'sasl';
      this.out.raw(SASL_HEADER);
      this.write(1, 0, saslMechanisms(MECHANISMS));
    } else {
      this.out.raw(AMQP_HEADER);
      this.host.touched(this);
      if (header.equals(AMQP_HEADER)) this.mode = 'opening';
      else this.hangUp();
    }
  }

  /** Ends the stream before there is a connection that could be closed. */
  private hangUp(): void {
    this.mode = 'over';
    this.flush();
    this.wire.end();
    this.host.closed(this);
  }

  private onSasl(body: Buffer): void {
    const { code, fields } = readPerformative(body);
    if (this.mode !== 'sasl' || code !== SASL_INIT) throw new DecodeError('a SASL frame came out of turn');
    const mechanism = fields.string(0) ?? '';
    const response = fields.binary(1) ?? Buffer.alloc(0);
    if (!MECHANISMS.includes(mechanism) || !this.host.admits(this, mechanism, response)) {
      this.write(1, 0, saslOutcome(1));
      this.hangUp();
      return;
    }
    this.write(1, 0, saslOutcome(0));
    this.mode = 'header';
    this.cutter.expectHeader();
  }

  private onFrame(channel: number, body: Buffer): void {
    const performative = readPerformative(body);
    const { code, fields } = performative;
    if (this.mode === 'opening') {
      if (code !== OPEN) throw new DecodeError('a connection begins with open');
      this.onOpen(fields.uint(2), fields.uint(4), fields.string(1));
      return;
    }
    if (this.mode !== 'open') throw new DecodeError('a frame came before the connection was opened');
    if (code === CLOSE) {
      this.close();
      return;
    }
    const session = this.sessions.get(channel);
    if (code === BEGIN) {
      if (session !== undefined) throw new DecodeError(`channel ${channel} is in use`);
      if (channel > CHANNEL_MAX) throw new DecodeError(`channel ${channel} is beyond ${CHANNEL_MAX}`);
      this.sessions.set(channel, new Session(this, channel, fields));
      return;
    }
    if (session === undefined) throw new DecodeError(`channel ${channel} has no session`);
    if (code === END) {
      this.sessions.delete(channel);
      session.emitPending();
      session.over();
      this.frame(channel, end());
      return;
    }
    this.body = body;
    session.handle(performative);
  }

  private onOpen(
    maxFrame: number | undefined,
    idleMs: number | undefined,
    hostname: string | undefined,
  ): void {
    this.mode = 'open';
    this.hostname = hostname ?? '';
    this.peerFrameBytes = Math.max(
      SMALLEST_FRAME_BYTES,
      Math.min(maxFrame ?? MAX_FRAME_BYTES, MAX_FRAME_BYTES),
    );
    this.frame(
      0,
      open({
        containerId: this.host.containerId,
        maxFrameSize: MAX_FRAME_BYTES,
        channelMax: CHANNEL_MAX,
        idleTimeoutMs: IDLE_TIMEOUT_MS,
      }),
    );
    if (idleMs !== undefined && idleMs > 0) {
      this.heartbeat = setInterval(
        () => {
          if (!this.wroteSinceBeat) this.emptyFrame();
          this.wroteSinceBeat = false;
        },
        Math.min(Math.max(idleMs / 4, 50), 0x7fff_ffff),
      );
      this.heartbeat.unref();
    }
    this.watch = setInterval(() => {
      if (!this.heardFrom) this.drop();
      this.heardFrom = false;
    }, IDLE_TIMEOUT_MS * 2);
    this.watch.unref();
  }

  attached(link: Link): void {
    this.host.attached(link);
  }

  encodedField(index: number): Buffer | undefined {
    const field = encodedField(this.body, index);
    return field && Buffer.from(field);
  }

  /** 64 bytes are ample for the frame header and the transfer performative around a 16-byte tag. */
  get payloadPerFrame(): number {
    return this.peerFrameBytes - 64;
  }

  private write(type: 0 | 1, channel: number, body: Put, payload?: Buffer): void {
    if (this.mode === 'over') return;
    const { out } = this;
    const start = out.frameStart();
    out.u8(2);
    out.u8(type);
    out.u16(channel);
    body(out);
    if (payload !== undefined) out.raw(payload);
    out.patchFrame(start);
    this.host.touched(this);
  }

  /** Goes out with the turn: what waits beside it may tell of changes that the journal does not have yet. */
  private emptyFrame(): void {
    this.write(0, 0, () => undefined);
  }

  frame(channel: number, body: Put): void {
    this.write(0, channel, body);
  }

  transferFrame(channel: number, payload: Buffer, performative: Put): void {
    this.write(0, channel, performative, payload);
  }

  touch(session: Session): void {
    this.settling.add(session);
    this.host.touched(this);
  }

  flush(): void {
    for (const session of this.settling) session.beforeFlush();
    this.settling.clear();
    if (this.out.length === 0) return;
    this.wroteSinceBeat = true;
    this.wire.write(this.out.take());
  }

  /**
   * Sends off what a long turn has gathered so far, so that the peer works on it while the turn goes on; otherwise
   * the two would take turns, each idle while the other one works.
   */
  headStart(): void {
    if (this.out.length < HEAD_START_BYTES) return;
    this.host.record();
    this.flush();
  }

  close(error?: AmqpError): void {
    if (this.mode === 'over') return;
    for (const session of this.sessions.values()) session.emitPending();
    if (this.mode === 'open') this.frame(0, close(error));
    this.host.record();
    this.flush();
    this.over();
    this.wire.end();
  }

  /** Closes with an error and without what waits to be written: it may tell of what was never recorded. */
  giveUp(error: AmqpError): void {
    this.out.take();
    this.close(error);
  }

  /** Cuts the connection without a word. */
  drop(): void {
    this.over();
    this.wire.destroy();
  }

  /** The stream ended or broke. */
  ended(): void {
    this.over();
  }

  private over(): void {
    if (this.mode === 'over') return;
    this.mode = 'over';
    clearInterval(this.heartbeat);
    clearInterval(this.watch);
    const sessions = [...this.sessions.values()];
    this.sessions.clear();
    for (const session of sessions) session.over();
    this.host.closed(this);
  }
}
