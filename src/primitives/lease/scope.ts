import { Bag, type Baggable } from "../../runtime/bag.ts";

/**
 * What a coordinator has open, so that its `close` can end it. Whoever waits or
 * holds registers here and removes itself when it is done.
 */
export class Scope {
  readonly waits: Bag<Wait> = new Bag();
  /** What is held, or runs under something held. */
  readonly open: Bag<Closable> = new Bag();
  #closed: Error | undefined;

  /** Why it was closed, once it was. */
  get closed(): Error | undefined {
    return this.#closed;
  }

  /** Ends all waits, then everything that is open, all at once. Should one of them fail, so does this, after the others. */
  async close(reason: Error): Promise<void> {
    this.#closed = reason;
    const waits = this.waits.toArray().map(async (wait) => wait.end(reason));
    const closings = [...waits, ...this.open.toArray().map((one) => one.close(reason))];
    await Promise.allSettled(closings);
    await Promise.all(closings);
  }
}

/** Somebody who waits. */
export interface Wait extends Baggable {
  end(reason: Error): void;
}

export interface Closable extends Baggable {
  /** Resolves when it is over; never rejects. */
  close(reason: Error): Promise<void>;
}
