/**
 * One tenure of one leader.
 *
 * What it promises: at most one leader at a time *in the order of the store*,
 * and fencing tokens that strictly rise from term to term. What it does not: a
 * store that loses acknowledged writes (asynchronous fail-over, a restart
 * without its data, eviction) can let two leaders overlap until the first one's
 * next renewal; and no signal stops work that does not look at it. A resource
 * that refuses lower tokens stays right even then.
 */
export interface Term {
  /** The name of the election. */
  readonly name: string;
  /**
   * The number of the term, higher than that of every term before it. Hand it
   * to what the leader writes to, and have it refuse a lower one.
   */
  readonly fencingToken: number;
  /** By this process's wall clock. */
  readonly electedAt: Date;
  /**
   * Aborts when the term ends or is to end: when it is lost (with a
   * {@link LeadershipLostError}), resigned, or withdrawn by the signal of `run`
   * or by `close`. A loss aborts it before anybody else can lead, if clocks run
   * at the same rate within 1 % and the store keeps what it acknowledged.
   *
   * To read this property compares clocks, so it is right even if a blocked
   * event loop has run no timer; a signal that was read before is not.
   */
  readonly signal: AbortSignal;
  /** How long the term still lasts if nothing renews it; 0 when it is over. */
  readonly remainingMs: number;
  /** Compares clocks when called. Never true after the local deadline, whatever the store does. */
  isLeader(): boolean;
  /** @throws LeadershipLostError if the term is over */
  assertLeader(): void;
  /**
   * Ends the term: aborts its signal, then gives the lease back at once, so
   * that the next candidate is woken. Idempotent; never throws because the term
   * was lost.
   *
   * @returns whether the term had lasted until now
   */
  resign(): Promise<boolean>;
  [Symbol.asyncDispose](): Promise<void>;
}
