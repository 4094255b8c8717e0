// Operators and strangers. Operators know what the console shows; strangers know nothing.
import { RotationCommand, RotationId, writeMessage, ConsumerName, type AccountId } from '@twinkey/contracts';
import type { Bus } from '@twinkey/service-bus';
import { Actor } from './actor.js';
import { loadRings, type StoredRing, type StoredRotation } from './end.js';
import type { World } from './world.js';

/** So often a halted rotation is replayed in a kind world; afterwards its halt has no excuse. */
const REPLAYS = 6;
const REPLAY_EVERY_MS = 60_000;

export class People {
  readonly #actor: Actor;
  readonly #bus: Bus;
  readonly #finished = new Set<string>();
  readonly #replays = new Map<string, { times: number; at: number }>();
  #count = 0;

  constructor(private readonly world: World) {
    this.#actor = new Actor('people', 'people', world.timeline, 0);
    this.#bus = world.broker.connect(this.#actor);
  }

  /** Rotations that were seen to have ended. */
  get completed(): number {
    return this.#finished.size;
  }

  note(rings: readonly StoredRing[]): void {
    for (const { account, finished } of rings)
      for (const id of finished) this.#finished.add(`${account} ${id}`);
  }

  rotate(account: AccountId): void {
    this.world.judge.mayReplace(account, 2);
    this.#send({ command: 'rotate', rotationId: this.#newId(), account, by: 'ana' });
  }

  half(account: AccountId): void {
    this.world.judge.mayReplace(account, 1);
    this.#send({ command: 'rotate', rotationId: this.#newId(), account, by: 'ana', scope: 'half' });
  }

  emergency(account: AccountId): void {
    const { judge, chance } = this.world;
    judge.mayReplace(account, 1);
    judge.emergencyAsked();
    const slot = chance.pick(['key1', 'key2'] as const);
    const rotationId = this.#newId();
    this.#send({ command: 'rotate', rotationId, account, by: 'ana', scope: 'emergency', slot });
  }

  async halt(account: AccountId): Promise<void> {
    const running = (await this.#open(account)).filter(({ halted }) => halted === null);
    if (running[0] === undefined) return;
    const rotationId = RotationId.parse(running[0].rotationId);
    this.#send({ command: 'halt', rotationId, account, by: 'ana' });
  }

  async replay(account: AccountId): Promise<void> {
    for (const { rotationId } of await this.#open(account))
      this.#send({ command: 'replay', rotationId: RotationId.parse(rotationId), account, by: 'ana' });
  }

  async waive(account: AccountId): Promise<void> {
    const { judge, chance, settings } = this.world;
    const [open] = await this.#open(account);
    if (open === undefined) return;
    const { name } = chance.pick(settings.consumers);
    judge.waived.add(name);
    this.#send({
      command: 'waive',
      rotationId: RotationId.parse(open.rotationId),
      account,
      consumer: ConsumerName.parse(name),
      by: 'ana',
      reason: 'it is switched off',
    });
  }

  /** In a kind world somebody replays what is halted. */
  mend(rings: readonly StoredRing[]): void {
    const { timeline } = this.world;
    for (const { account, rotation, inLine } of rings) {
      for (const one of [rotation, ...inLine.map((waiting) => waiting.rotation)]) {
        if (one?.halted == null) continue;
        const known = this.#replays.get(one.rotationId) ?? { times: 0, at: -Infinity };
        if (known.times >= REPLAYS || timeline.now - known.at < REPLAY_EVERY_MS) continue;
        this.#replays.set(one.rotationId, { times: known.times + 1, at: timeline.now });
        const rotationId = RotationId.parse(one.rotationId);
        this.#send({ command: 'replay', rotationId, account, by: 'ana' });
      }
    }
  }

  async #open(account: AccountId): Promise<readonly StoredRotation[]> {
    const rings = await loadRings(this.world);
    this.note(rings);
    const ring = rings.find((each) => each.account === account);
    if (ring === undefined) return [];
    return [ring.rotation, ...ring.inLine.map(({ rotation }) => rotation)].filter((one) => one !== null);
  }

  #newId(): RotationId {
    return RotationId.parse(`r-${this.world.chance.digits(12)}`);
  }

  #send(data: RotationCommand): void {
    const { story, timeline } = this.world;
    this.#count += 1;
    const scope = data.command === 'rotate' ? (data.scope ?? 'both') : '';
    story.tell('ana', `asks: ${data.command} ${scope} ${data.rotationId}`);
    const body = writeMessage(RotationCommand, {
      id: `command-${this.#count}`,
      source: 'twinkey/console',
      time: new Date(timeline.now),
      data,
    });
    timeline.as(this.#actor, () => {
      this.#bus.send(RotationCommand.entity, [{ id: body.id, body }]).catch(() => {
        story.tell('ana', 'gets no answer of the bus');
      });
    });
  }
}
