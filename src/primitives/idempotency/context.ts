/** What a guarded handler is told about its run. */
export interface IdempotentContext {
  /** The key of the message. */
  readonly key: string;
  /**
   * 1, or one more than that of a run which was seen to end without a result: its
   * handler failed, or its worker died. A lower bound: once the record of a run
   * has gone with nobody waiting, nobody remembers it.
   */
  readonly attempt: number;
  /**
   * Aborts with an `IdempotencyLostError` when the claim is lost, before anybody
   * else can run the handler for this message, if clocks run at the same rate
   * within 1 % and the store keeps what it acknowledged. Aborts with a
   * `ClosedError` when the coordinator is closed: the run then has the rest of
   * its lease to finish, and its result is still recorded.
   */
  readonly signal: AbortSignal;
  /**
   * Rises with each run for this message. Hand it to what the handler changes,
   * and have it refuse a lower one.
   *
   * @throws ConfigError without the option `fencing: true`
   */
  readonly fencingToken: number;
}

/**
 * A handler as it is guarded. What it returns is kept and replayed: data that
 * CBOR can hold, `undefined`, `Date`, `Map`, `Set`, `bigint` and bytes included.
 */
export type IdempotentHandler<Input, Result> = (input: Input, context: IdempotentContext) => Result | Promise<Result>;
