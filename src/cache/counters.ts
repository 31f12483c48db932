import type { CacheOperation, CacheStats } from "./contract.ts";
import { HoldfastError } from "./errors.ts";

/** What {@link CacheCounters} knows of a cache's statistics; the backend adds the rest. */
export type CountedStats = Pick<CacheStats, "operations" | "hits" | "misses" | "errors" | "timeouts" | "inFlight">;

/**
 * Counts the operations of one cache. A backend calls `begin` when an operation
 * has passed the checks of its input, then `fail` if it failed, then `end`. An
 * operation that was refused for its input was never begun, so it is neither an
 * operation nor an error.
 */
export class CacheCounters {
  readonly #operations: Record<CacheOperation, number> = {
    get: 0,
    set: 0,
    delete: 0,
    getOrSet: 0,
    compareAndSet: 0,
    watch: 0,
    health: 0,
  };
  #hits = 0;
  #misses = 0;
  #errors = 0;
  #timeouts = 0;
  #inFlight = 0;

  get inFlight(): number {
    return this.#inFlight;
  }

  begin(operation: CacheOperation): void {
    this.#operations[operation] += 1;
    this.#inFlight += 1;
  }

  fail(error: unknown): void {
    this.#errors += 1;
    if (error instanceof HoldfastError && error.code === "ERR_CACHE_TIMEOUT") this.#timeouts += 1;
  }

  end(): void {
    this.#inFlight -= 1;
  }

  /** Counts what a `get` that succeeded has found. */
  found(value: Uint8Array | undefined): void {
    if (value === undefined) this.#misses += 1;
    else this.#hits += 1;
  }

  snapshot(): CountedStats {
    return {
      operations: { ...this.#operations },
      hits: this.#hits,
      misses: this.#misses,
      errors: this.#errors,
      timeouts: this.#timeouts,
      inFlight: this.#inFlight,
    };
  }
}
