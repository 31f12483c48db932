import type { Clock, Timer } from "../../runtime/clock.ts";

/** Something that is given up when its time has passed. */
export interface Bounded {
  /** On the clock's monotonic time. */
  readonly deadlineMs: number;
  /** Its neighbours, for {@link Deadlines} only. */
  earlier: Bounded | undefined;
  later: Bounded | undefined;
  /** Called when the deadline has passed, after it was taken out. */
  expire(): void;
}

/** A timer that comes later than this was held up by a blocked event loop. */
const BLOCKED_MS = 20;

/**
 * A set ordered by deadline, with one timer for all. Nearly every entry is added
 * with the latest deadline and leaves first in, first out, so that a linked list
 * does in constant time what a timer per entry would do more slowly.
 */
export class Deadlines<T extends Bounded> {
  readonly #clock: Clock;
  #first: Bounded | undefined;
  #last: Bounded | undefined;
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  add(entry: T): void {
    let before = this.#last;
    while (before !== undefined && before.deadlineMs > entry.deadlineMs) before = before.earlier;
    const after = before === undefined ? this.#first : before.later;
    entry.earlier = before;
    entry.later = after;
    if (before === undefined) this.#first = entry;
    else before.later = entry;
    if (after === undefined) this.#last = entry;
    else after.earlier = entry;
    // A timer that is already set comes no later than needed, but for an entry put in front.
    if (this.#timer === undefined || before === undefined) this.#setTimer();
  }

  /** Harmless when it is not in the set. */
  remove(entry: T): void {
    const { earlier, later } = entry;
    if (earlier === undefined && this.#first !== entry) return;
    if (earlier === undefined) this.#first = later;
    else earlier.later = later;
    if (later === undefined) this.#last = earlier;
    else later.earlier = earlier;
    entry.earlier = undefined;
    entry.later = undefined;
  }

  /** Every entry, earliest deadline first. */
  toArray(): T[] {
    const entries: T[] = [];
    for (let at = this.#first; at !== undefined; at = at.later) entries.push(at as T);
    return entries;
  }

  /** Lets go of the timer; the entries stay as they are. */
  stop(): void {
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  #setTimer(graceMs?: number): void {
    this.stop();
    const first = this.#first;
    if (first === undefined) return;
    const delayMs = graceMs ?? Math.max(0, first.deadlineMs - this.#clock.monotonicMs());
    this.#timer = this.#clock.setTimer(() => this.#onTimer(graceMs !== undefined), delayMs);
  }

  #onTimer(graceGiven: boolean): void {
    this.#timer = undefined;
    const nowMs = this.#clock.monotonicMs();
    // After a blocked event loop timers run before sockets are read: the replies
    // may be here already. One more turn of the loop lets them in.
    if (!graceGiven && this.#first !== undefined && nowMs - this.#first.deadlineMs > BLOCKED_MS) {
      this.#setTimer(1);
      return;
    }
    while (this.#first !== undefined && this.#first.deadlineMs <= nowMs) {
      const expired = this.#first as T;
      this.remove(expired);
      expired.expire();
    }
    if (this.#timer === undefined) this.#setTimer();
  }
}
