import type { Clock, Timer } from "../runtime/clock.ts";

interface ManualTimer {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/**
 * A clock that moves only when told to. Timers run in the order of their due
 * times, and each sees the clock stand exactly at its own.
 */
export class ManualClock implements Clock {
  #monotonicMs = 0;
  #wallMs: number;
  #order = 0;
  #seed: number;
  readonly #timers = new Set<ManualTimer>();

  /** @param wallMs where the wall clock starts @param seed of `random` and `randomBytes` */
  constructor(wallMs: number = 1_700_000_000_000, seed: number = 1) {
    this.#wallMs = wallMs;
    this.#seed = seed >>> 0;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  wallMs(): number {
    return this.#wallMs;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const timer = { dueMs: this.#monotonicMs + Math.max(0, delayMs), order: this.#order++, callback };
    if (timer.dueMs !== Number.POSITIVE_INFINITY) this.#timers.add(timer);
    return timer;
  }

  clearTimer(timer: Timer): void {
    this.#timers.delete(timer as ManualTimer);
  }

  random(): number {
    // Mulberry32: small, seeded, and good enough for jitter.
    this.#seed = (this.#seed + 0x6d2b79f5) >>> 0;
    let t = this.#seed;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  randomBytes(size: number): Uint8Array {
    return Uint8Array.from({ length: size }, () => Math.floor(this.random() * 256));
  }

  /** How many timers are set; a test that ends with any has a leak. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Moves both clocks on, runs what becomes due, and lets promises settle after each timer. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#monotonicMs + ms;
    await settle();
    for (let next = this.#nextDue(untilMs); next !== undefined; next = this.#nextDue(untilMs)) {
      this.#timers.delete(next);
      this.#moveTo(Math.max(next.dueMs, this.#monotonicMs));
      next.callback();
      await settle();
    }
    this.#moveTo(untilMs);
  }

  /** The machine was suspended: the wall clock moves on, the monotonic clock and the timers stand still. */
  suspend(ms: number): void {
    this.#wallMs += ms;
  }

  /** The event loop was blocked: both clocks move on and no timer runs. */
  block(ms: number): void {
    this.#moveTo(this.#monotonicMs + ms);
  }

  /** Somebody set the wall clock, forwards or (negative) backwards. */
  jumpWall(ms: number): void {
    this.#wallMs += ms;
  }

  #moveTo(monotonicMs: number): void {
    this.#wallMs += monotonicMs - this.#monotonicMs;
    this.#monotonicMs = monotonicMs;
  }

  #nextDue(untilMs: number): ManualTimer | undefined {
    let next: ManualTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs > untilMs) continue;
      if (!next || timer.dueMs < next.dueMs || (timer.dueMs === next.dueMs && timer.order < next.order)) next = timer;
    }
    return next;
  }
}

/** Lets every promise that can settle without time do so: a macrotask runs after all microtasks. */
async function settle(): Promise<void> {
  for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve));
}
