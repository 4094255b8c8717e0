// The promise itself, tried in a small world on seeded chance: processes that keep the consumer contract (register,
// read, acknowledge, fence themselves when silent), a network that loses, doubles and delays, a notifier made of
// this library, and a rotator that kills the older key as soon as the gate opens.
import { describe, expect, it } from '@jest/globals';
import {
  AccountId,
  ConsumerName,
  generation,
  InstanceId,
  SwitchRequested,
  type Generation,
} from '@twinkey/contracts';
import {
  decideInstance,
  evolveInstance,
  type Instance,
  type InstanceCommand,
  type Terms,
} from './instance.js';
import { evolveSwitch, type KeySwitch } from './key-switch.js';
import { owed } from './owed.js';
import { decideRequest } from './request.js';

const SECOND = 1000;
const TERMS: Terms = { leaseSeconds: 9, rereadSeconds: 15, clockSkewSeconds: 2 };
const DRAIN = 4;
const WAIVED = ConsumerName.parse('waived');
const CONSUMERS = [ConsumerName.parse('web-shop'), ConsumerName.parse('billing'), WAIVED];

interface Process {
  readonly id: InstanceId;
  readonly consumer: ConsumerName;
  readonly boot: string;
  running: boolean;
  leaving: boolean;
  cutOffUntil: number;
  registered: boolean;
  leaseUntil: number;
  held: number;
  readAt: number;
  calls: { generation: number; endsAt: number }[];
}

interface Post {
  readonly to: InstanceId;
  readonly command: InstanceCommand;
  readonly at: number;
}

/** A deterministic draw in [0, 1) (mulberry32). */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Runs one world for `seconds`; returns who was cut off, and how often the gate opened. */
function run(seed: number, terms: Terms, { seconds = 240 } = {}) {
  const draw = chance(seed);
  const often = () => draw() ** 3; // each world has its own weather: mostly calm, now and then a storm
  const weather = { lose: often(), cut: often() * 0.1, crash: often() * 0.05, leave: often() * 0.05 };
  let now = 1_000_000;
  let published = 0;
  let publishedAt = 0;
  let requestAt: number | null = null;
  let current: KeySwitch | null = null;
  let opens: number | null = null;
  let opened = 0;
  const instances = new Map<InstanceId, Instance>();
  let processes: Process[] = [];
  let posts: Post[] = [];
  let drawn = 0;
  const cutOff: string[] = [];

  const say = (to: InstanceId, command: InstanceCommand): boolean => {
    const known = instances.get(to) ?? null;
    const { events } = decideInstance(known, command, terms, now);
    if (events === undefined) return false;
    const after = events.reduce(evolveInstance, known);
    if (after !== null) instances.set(to, after);
    return true;
  };
  const minimum = () => current?.generation ?? 0;
  const start = () => {
    drawn += 1;
    const id = InstanceId.parse(`i-${drawn.toString(16).padStart(16, '0')}`);
    const consumer = CONSUMERS[Math.floor(draw() * CONSUMERS.length)] ?? WAIVED;
    const fresh = { running: true, leaving: false, cutOffUntil: 0, registered: false, leaseUntil: 0 };
    processes.push({ id, consumer, boot: `boot-${drawn}`, ...fresh, held: 0, readAt: 0, calls: [] });
  };
  const install = (process: Process, lagging: boolean, atLeast: number) => {
    const read = lagging && published > atLeast ? published - 1 : published;
    process.readAt = now;
    if (read <= process.held) return;
    process.held = read;
  };
  const acknowledge = (process: Process) => {
    const older = process.calls.filter((call) => call.generation < process.held);
    const drainedAt = older.length === 0 ? null : Math.max(...older.map(({ endsAt }) => endsAt));
    const command: InstanceCommand = {
      command: 'acknowledge',
      boot: process.boot,
      generation: generation(process.held),
      drainedAt,
      published: generation(minimum()),
    };
    for (let copy = 0; copy < 2; copy += 1) {
      if (draw() < weather.lose) continue;
      posts.push({ to: process.id, command, at: now + Math.floor(draw() * 6) * SECOND });
    }
  };
  const live = (process: Process) => {
    const connected = now >= process.cutOffUntil;
    if (!connected && process.registered && now > process.leaseUntil) {
      // Fenced: what it holds is good only for so long after it read the vault.
      if (now - process.readAt >= TERMS.rereadSeconds * SECOND) install(process, false, 0);
    }
    if (connected && draw() >= weather.lose) {
      const { id, consumer, boot } = process;
      const leaseUntil = now + TERMS.leaseSeconds * SECOND;
      if (process.leaving) {
        if (process.calls.length === 0) {
          say(id, { command: 'leave' });
          process.running = false;
        }
        return;
      }
      const heard = process.registered
        ? say(id, { command: 'heartbeat', boot })
        : say(id, { command: 'register', instance: id, consumer, boot });
      if (heard && draw() >= weather.lose) {
        process.registered = true;
        process.leaseUntil = leaseUntil;
        if (minimum() > process.held || process.held === 0) install(process, draw() < 0.5, minimum());
        if (process.held > 0) acknowledge(process);
      }
    }
    const usable =
      process.registered &&
      process.held > 0 &&
      (now <= process.leaseUntil || now - process.readAt < TERMS.rereadSeconds * SECOND);
    if (usable && !process.leaving && draw() < 0.7) {
      process.calls.push({
        generation: process.held,
        endsAt: now + Math.floor(draw() * (DRAIN + 1)) * SECOND,
      });
    }
  };

  for (const end = now + seconds * SECOND; now < end; now += SECOND) {
    if (requestAt === null && opens === null && draw() < 0.2) {
      published += 1;
      publishedAt = now - Math.floor(draw() * (TERMS.clockSkewSeconds + 1)) * SECOND; // the rotator's clock
      requestAt = now + Math.floor(draw() * 5) * SECOND;
    }
    if (requestAt !== null && now >= requestAt) {
      const requested = SwitchRequested.data.parse({
        account: AccountId.parse(
          '/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a',
        ),
        generation: published,
        request: 1,
        slot: published % 2 === 0 ? 'key1' : 'key2',
        fingerprint: published.toString(16).padStart(32, '0'),
        secret: { vaultUrl: 'https://vault.example', name: 'a' },
        publishedAt: new Date(publishedAt).toISOString(),
        deadlineAt: new Date(now + 3_600 * SECOND).toISOString(),
        drainSeconds: DRAIN,
        withoutConsumers: draw() < 0.5 ? 'rotate' : 'wait',
        waived: [WAIVED],
      });
      current = (decideRequest(current, requested).events ?? []).reduce(evolveSwitch, current);
      requestAt = null;
      opens = Infinity;
    }
    if (processes.filter(({ running }) => running).length < 4 && draw() < 0.3) start();
    for (const process of processes) {
      process.calls = process.calls.filter(({ endsAt }) => endsAt >= now);
      if (draw() < weather.cut) process.cutOffUntil = now + Math.floor(draw() * 60) * SECOND;
      if (draw() < weather.crash) process.running = false;
      if (draw() < weather.leave) process.leaving = true;
      if (process.running) live(process);
    }
    processes = processes.filter(({ running }) => running);
    const due = posts.filter(({ at }) => at <= now);
    posts = posts.filter(({ at }) => at > now);
    due.sort(() => draw() - 0.5).forEach(({ to, command }) => say(to, command));

    for (let answer = owed(current, [...instances.values()], terms, now, []); answer.owed !== 'nothing';) {
      const numbered = { generation: published as Generation, request: 1, at: now };
      if (answer.owed === 'announcement') {
        current = evolveSwitch(current, { event: 'key-change-announced', ...numbered });
      } else if (answer.outcome === 'acknowledged') {
        opens = answer.openFrom;
        current = evolveSwitch(current, {
          event: 'switch-acknowledged',
          ...numbered,
          openFrom: answer.openFrom,
        });
      } else break;
      answer = owed(current, [...instances.values()], terms, now, []);
    }
    if (opens !== null && opens < now) {
      // The gate opens: whoever uses an older generation from here on is refused.
      opened += 1;
      opens = null;
    }
    if (opens === null && requestAt === null) {
      for (const { id, consumer, registered, held, calls, leaseUntil, readAt } of processes) {
        if (consumer === WAIVED || !registered) continue;
        const usable = now <= leaseUntil || now - readAt < TERMS.rereadSeconds * SECOND;
        const inFlight = calls.some((call) => call.generation < published);
        if ((held > 0 && held < published && usable) || inFlight) cutOff.push(`${id} at ${now}`);
      }
    }
  }
  return { cutOff, opened };
}

describe('a world of crashes, partitions, lost and late messages', () => {
  it('never cuts off an instance when the gate opens', () => {
    let opened = 0;
    for (let seed = 0; seed < 120; seed += 1) {
      const world = run(seed, TERMS);
      opened += world.opened;
      expect({ seed, cutOff: world.cutOff }).toEqual({ seed, cutOff: [] });
    }
    expect(opened).toBeGreaterThan(300);
  });

  it.each([
    ['gives lapsed instances no time to re-read', { ...TERMS, rereadSeconds: 0 }],
    ['takes silence for death before the lease is over', { ...TERMS, leaseSeconds: 1, clockSkewSeconds: 0 }],
  ])('would cut one off if the notifier %s', (_, terms) => {
    const found = (seed: number) => run(seed, terms).cutOff.length > 0;
    expect(Array.from({ length: 200 }, (_, seed) => seed).some(found)).toBe(true);
  });
});
