/** Runs what concerns one account in the order in which it was given, and different accounts side by side. */
export class Turns {
  private readonly last = new Map<string, Promise<unknown>>();

  async take<Result>(of: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.last.get(of) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.last.set(of, mine);
    try {
      return await mine;
    } finally {
      if (this.last.get(of) === mine) this.last.delete(of);
    }
  }
}
