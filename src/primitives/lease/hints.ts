import type { Cache, Unwatch } from "../../cache/contract.ts";
import type { Clock } from "../../runtime/clock.ts";

const RETRY_WATCH_MS = 5_000;

/** The watch of one key, as long as somebody wants its hints. Its failure only makes waiting slower. */
export class Hints {
  readonly #cache: Cache;
  readonly #clock: Clock;
  readonly #key: string;
  readonly #onHint: () => void;
  #unwatch: Unwatch | undefined;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #ended = false;

  constructor(cache: Cache, clock: Clock, key: string, onHint: () => void) {
    this.#cache = cache;
    this.#clock = clock;
    this.#key = key;
    this.#onHint = onHint;
  }

  get active(): boolean {
    return this.#unwatch !== undefined;
  }

  /** Resolves to whether the watch has become active by this call. Never rejects. */
  async start(): Promise<boolean> {
    if (this.active || this.#clock.monotonicMs() < this.#retryAtMs) return false;
    try {
      this.#unwatch = await this.#cache.watch(this.#key, this.#onHint);
      if (this.#ended) await this.end();
      return this.active;
    } catch {
      // Forbidden, or the store is at fault: waiting goes on by polling.
      this.#retryAtMs = this.#clock.monotonicMs() + RETRY_WATCH_MS;
      return false;
    }
  }

  /** Ends the watch for good, also one that is still being started. */
  async end(): Promise<void> {
    this.#ended = true;
    const unwatch = this.#unwatch;
    this.#unwatch = undefined;
    // A watch that cannot be ended has ended with its connection.
    await unwatch?.().catch(() => {});
  }
}
