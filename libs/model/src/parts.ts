// A world is made of few different parts in many combinations: some thousand rings in millions of worlds. Each part
// is kept once and has a number, so that worlds are compared by numbers, and the plan is asked once per ring and
// view of things.
import type { Next } from '@twinkey/rotation';
import {
  bytesOfAnswers,
  bytesOfHands,
  bytesOfOutside,
  bytesOfProcess,
  bytesOfQuestions,
  bytesOfRing,
  bytesOfSeen,
  bytesOfSwitch,
} from './encode.js';
import { hashOf, type Hash } from './hash.js';
import type { Plan } from './moves.js';
import type { Rotator, World } from './world.js';

/** What is interned apart, because equal bytes of two kinds mean different things. */
const KIND = { ring: 1, seen: 2, rotator: 3, keySwitch: 4, questions: 5, answers: 6, process: 10 } as const;

const { max, min } = Math;

export class Parts {
  readonly #numbers = new Map<object, number>();
  readonly #byContent = new Map<number, object>();
  readonly #plans = new Map<number, Next>();
  readonly #hash: Hash = { one: 0, two: 0 };
  readonly #words = new Int32Array(64);

  /** How many different parts were met. */
  get size(): number {
    return this.#numbers.size;
  }

  /**
   * The world as words, one per part. Rotators come in the order of their numbers: their names mean nothing. The
   * words are overwritten by the next call.
   */
  wordsOf(world: World): Int32Array {
    const words = this.#words;
    const { rotators, processes, keySwitch } = world;
    words[0] = this.#number(world.ring, KIND.ring, bytesOfRing);
    words[1] = keySwitch === null ? 0 : this.#number(keySwitch, KIND.keySwitch, bytesOfSwitch);
    words[2] = this.#number(world.questions, KIND.questions, bytesOfQuestions);
    words[3] = this.#number(world.answers, KIND.answers, bytesOfAnswers);
    const [first, second] = rotators;
    const one = first === undefined ? 0 : this.#numberOfRotator(first) * 2 + (world.lease === 1 ? 1 : 0);
    const two = second === undefined ? 0 : this.#numberOfRotator(second) * 2 + (world.lease === 2 ? 1 : 0);
    words[4] = min(one, two);
    words[5] = max(one, two);
    let end = 6;
    for (let number = 0; number < processes.length; number += 1) {
      const process = processes[number];
      if (process === undefined) continue;
      words[end] = this.#number(process, KIND.process + number, bytesOfProcess);
      end += 1;
    }
    const bytes = bytesOfOutside(world);
    for (let index = 0; index < bytes.length; index += 4) {
      words[end] =
        (bytes[index] ?? 0) |
        ((bytes[index + 1] ?? 0) << 8) |
        ((bytes[index + 2] ?? 0) << 16) |
        ((bytes[index + 3] ?? 0) << 24);
      end += 1;
    }
    return words.subarray(0, end);
  }

  /** The same world, made of the parts that are known. */
  known(world: World): World {
    const { keySwitch } = world;
    return {
      ...world,
      ring: this.#known(world.ring, KIND.ring, bytesOfRing),
      rotators: world.rotators.map((rotator) => this.#knownRotator(rotator)),
      processes: world.processes.map((process, number) =>
        this.#known(process, KIND.process + number, bytesOfProcess),
      ),
      keySwitch: keySwitch && this.#known(keySwitch, KIND.keySwitch, bytesOfSwitch),
      questions: this.#known(world.questions, KIND.questions, bytesOfQuestions),
      answers: this.#known(world.answers, KIND.answers, bytesOfAnswers),
    };
  }

  /** Asks `plan` once per ring and what was seen. It is pure, and goes by nothing else of the world. */
  remembered(plan: Plan): Plan {
    return (world, seen) => {
      const ring = this.#numbers.get(world.ring);
      const look = this.#numbers.get(seen);
      if (ring === undefined || look === undefined) return plan(world, seen);
      const question = ring * 2 ** 24 + look;
      let next = this.#plans.get(question);
      if (next === undefined) {
        next = plan(world, seen);
        this.#plans.set(question, next);
      }
      return next;
    };
  }

  #numberOfRotator(rotator: Rotator): number {
    return this.#numbers.get(rotator) ?? this.#numbers.get(this.#knownRotator(rotator)) ?? 0;
  }

  #knownRotator(rotator: Rotator): Rotator {
    if (this.#numbers.has(rotator)) return rotator;
    const seen = this.#known(rotator.seen, KIND.seen, bytesOfSeen);
    const kind = KIND.rotator + (this.#numbers.get(seen) ?? 0) * 64;
    return this.#intern({ ...rotator, seen }, kind, bytesOfHands(rotator));
  }

  #number<Part extends object>(part: Part, kind: number, bytesOf: (part: Part) => Uint8Array): number {
    return this.#numbers.get(part) ?? this.#numbers.get(this.#intern(part, kind, bytesOf(part))) ?? 0;
  }

  #known<Part extends object>(part: Part, kind: number, bytesOf: (part: Part) => Uint8Array): Part {
    return this.#numbers.has(part) ? part : this.#intern(part, kind, bytesOf(part));
  }

  #intern<Part extends object>(part: Part, kind: number, bytes: Uint8Array): Part {
    const hash = hashOf(bytes, kind, this.#hash);
    const content = (hash.one >>> 0) * 2 ** 21 + (hash.two >>> 11);
    const known = this.#byContent.get(content);
    if (known !== undefined) return known as Part;
    this.#byContent.set(content, part);
    this.#numbers.set(part, this.#numbers.size + 1);
    return part;
  }
}
