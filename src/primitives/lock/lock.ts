/**
 * A lock that is held.
 *
 * What it promises: at most one holder at a time *in the order of the store*,
 * and fencing tokens that strictly rise from holder to holder. What it does not:
 * a store that loses acknowledged writes (asynchronous fail-over, a restart
 * without its data, eviction) can let two holders overlap until the first one's
 * next renewal. A resource that refuses lower tokens stays right even then.
 */
export interface Lock {
  readonly key: string;
  /**
   * Rises with each holder of this lock. Hand it to what the lock protects,
   * and have it refuse a lower one.
   *
   * @throws ConfigError if the lock was taken with `fencing: false`
   */
  readonly fencingToken: number;
  /**
   * Aborts with a {@link LockLostError} when the lock is lost: before anybody
   * else can hold it, if clocks run at the same rate within 1 % and the store
   * keeps what it acknowledged. Not aborted by a release.
   */
  readonly signal: AbortSignal;
  /** How long the lock is still valid if nothing renews it; 0 when it is not held. */
  readonly remainingMs: number;
  /** Compares clocks when called, so it is right even if a blocked event loop has run no timer. */
  isHeld(): boolean;
  /** @throws LockLostError if the lock is not held */
  assertHeld(): void;
  /**
   * Makes the lock last `ttlMs` (default: as before) from now.
   *
   * @throws LockLostError if the lock is not held any more
   * @throws OperationError if the store's answer did not come: the outcome is unknown
   */
  extend(ttlMs?: number): Promise<void>;
  /**
   * Gives the lock back. Idempotent; never throws because the lock was lost.
   *
   * @returns whether the lock was held until now
   */
  release(): Promise<boolean>;
  [Symbol.asyncDispose](): Promise<void>;
}
