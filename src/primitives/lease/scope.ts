/**
 * What a coordinator has open, so that its `close` can end it. Whoever waits or
 * holds registers here and removes itself when it is done.
 */
export class Scope {
  /** Ends a wait with the error given. */
  readonly waits: Set<(reason: Error) => void> = new Set();
  /** What is held, or runs under something held. `close` resolves when that is over; it never rejects. */
  readonly open: Set<Closable> = new Set();
  #closed: Error | undefined;

  /** Why it was closed, once it was. */
  get closed(): Error | undefined {
    return this.#closed;
  }

  /** Ends all waits, then everything that is open, all at once. */
  async close(reason: Error): Promise<void> {
    this.#closed = reason;
    for (const end of [...this.waits]) end(reason);
    await Promise.all([...this.open].map((one) => one.close(reason)));
  }
}

export interface Closable {
  close(reason: Error): Promise<void>;
}
