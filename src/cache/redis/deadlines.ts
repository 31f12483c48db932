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
  #timer: Timer;
  /** The timer may come too early, when its entry has gone meanwhile; never too late. */
  #timerDueMs: number = Number.POSITIVE_INFINITY;

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
    if (entry.deadlineMs < this.#timerDueMs) this.#setTimer(entry.deadlineMs);
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
    this.#clock.clearTimer(this.#timer);
    this.#timerDueMs = Number.POSITIVE_INFINITY;
  }

  #setTimer(dueMs: number): void {
    this.stop();
    this.#timerDueMs = dueMs;
    this.#timer = this.#clock.setTimer(() => this.#onTimer(dueMs), Math.max(0, dueMs - this.#clock.monotonicMs()));
  }

  #onTimer(dueMs: number): void {
    this.#timerDueMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#clock.monotonicMs();
    // After a blocked event loop timers run before sockets are read: the replies
    // may be here already. One more turn of the loop lets them in.
    if (nowMs - dueMs > BLOCKED_MS) return this.#setTimer(nowMs + 1);
    let next = this.#first;
    while (next !== undefined && next.deadlineMs <= nowMs) {
      this.remove(next as T);
      next.expire();
      next = this.#first;
    }
    if (next !== undefined && next.deadlineMs < this.#timerDueMs) this.#setTimer(next.deadlineMs);
  }
}
