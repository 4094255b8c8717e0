import { HttpProblem } from '@twinkey/service';

/** Each stream looks at the database when something happens, for as long as it is open. */
export const MOST_STREAMS = 100;

/** Counts the streams of events that one console sends. */
export class OpenStreams {
  #open = 0;

  constructor(private readonly most: number) {}

  /** Sends one; refuses it when there are too many. */
  async send(stream: () => Promise<void>): Promise<void> {
    if (this.#open >= this.most) {
      throw new HttpProblem(
        429,
        'too-many-streams',
        `This console sends ${this.most} streams of events already. Ask for pages (?after=), or again when one has ended.`,
        { retryAfterSeconds: 5 },
      );
    }
    this.#open += 1;
    try {
      await stream();
    } finally {
      this.#open -= 1;
    }
  }
}
