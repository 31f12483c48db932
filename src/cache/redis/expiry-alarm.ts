import type { Clock, Timer } from "../../runtime/clock.ts";
import { ABSENT, NO_EXPIRY } from "./commands.ts";

export interface ExpiryAlarmOptions {
  readonly clock: Clock;
  /** What is left of the key's TTL, `NO_EXPIRY` or `ABSENT`. */
  readRemainingMs(): Promise<number>;
  onExpired(): void;
}

/**
 * Goes off when the value of one key has expired. The server tells nobody, so
 * the remaining TTL is read once, and again when it should have passed: a value
 * that was renewed meanwhile is still there.
 */
export class ExpiryAlarm {
  readonly #options: ExpiryAlarmOptions;
  #timer: Timer;
  #idle = true;
  /** Raised with whatever is learnt, so that a late answer does not overrule newer knowledge. */
  #generation = 0;

  constructor(options: ExpiryAlarmOptions) {
    this.#options = options;
  }

  /** As far as we know the key is absent, so there is nothing to wait for. */
  get isIdle(): boolean {
    return this.#idle;
  }

  /** Reads the remaining TTL and sets itself. */
  async look(): Promise<void> {
    await this.#look(() => {});
  }

  /**
   * @param remainingMs as the server says it: `NO_EXPIRY`, `ABSENT`, or milliseconds
   * @param ageMs how long ago it said so
   */
  set(remainingMs: number, ageMs: number = 0): void {
    this.clear();
    if (remainingMs === ABSENT) return;
    this.#idle = false;
    if (remainingMs === NO_EXPIRY) return;
    // A value is gone a millisecond after its TTL, about as much as timers run late. If one does not, it looks again.
    const leftMs = Math.max(1, remainingMs - ageMs);
    this.#timer = this.#options.clock.setTimer(() => void this.#look(this.#options.onExpired), leftMs);
  }

  clear(): void {
    this.#generation += 1;
    this.#idle = true;
    this.#options.clock.clearTimer(this.#timer);
  }

  async #look(onAbsent: () => void): Promise<void> {
    this.clear();
    this.#idle = false;
    const generation = this.#generation;
    const startedMs = this.#options.clock.monotonicMs();
    // Who cannot read it assumes the worst: a call too many is allowed, one too few is not.
    const remainingMs = await this.#options.readRemainingMs().catch(() => ABSENT);
    if (generation !== this.#generation) return;
    // Half of the round trip has passed since the server said it.
    const ageMs = (this.#options.clock.monotonicMs() - startedMs) / 2;
    this.set(remainingMs, ageMs);
    if (remainingMs === ABSENT) onAbsent();
  }
}
