import { ClosedError, type ErrorDetails, HoldfastError } from "../../cache/errors.ts";

/**
 * The message is being handled elsewhere, and it was not over within `waitMs`
 * (or `whenInProgress` is `"reject"`). The run is not disturbed by this.
 */
export class IdempotencyInProgressError extends HoldfastError {
  static override readonly kind: string = "IdempotencyInProgressError";
  static override readonly code: string = "ERR_IDEMPOTENCY_IN_PROGRESS";
  /** When to ask again, as a hint: as long again as the run has taken so far, within the TTL of its lease. */
  readonly retryAfterMs: number;

  constructor(message: string, details: ErrorDetails & { readonly retryAfterMs: number }) {
    super(message, details);
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** The key was used before, with another input. The handler has not run, and what is recorded was not touched. */
export class IdempotencyMismatchError extends HoldfastError {
  static override readonly kind: string = "IdempotencyMismatchError";
  static override readonly code: string = "ERR_IDEMPOTENCY_MISMATCH";
}

/**
 * A run's claim ended before the run did: another delivery may run, or have run,
 * the handler too, and this run's result was not recorded.
 */
export class IdempotencyLostError extends HoldfastError {
  static override readonly kind: string = "IdempotencyLostError";
  static override readonly code: string = "ERR_IDEMPOTENCY_LOST";
  /** What the handler returned, if it finished all the same. */
  declare readonly result?: unknown;

  constructor(message: string, details: ErrorDetails & { readonly result?: unknown } = {}) {
    super(message, details);
    if ("result" in details) this.result = details.result;
  }
}

/**
 * The handler has run, once and to its end, but its result could not be kept for
 * duplicates. The handler is not run again for that.
 */
export class IdempotencyResultError extends HoldfastError {
  static override readonly kind: string = "IdempotencyResultError";
  static override readonly code: string = "ERR_IDEMPOTENCY_RESULT";
  /** Longer than `maxResultBytes` or than the store takes, or not something that CBOR can hold. */
  readonly reason: "too-large" | "unencodable";

  constructor(message: string, details: ErrorDetails & { readonly reason: "too-large" | "unencodable" }) {
    super(message, details);
    this.reason = details.reason;
  }
}

/** The coordinator was closed before the handler ran. `reason`: what its runs were told. */
export function closedError(name: string, key: string, reason: Error): ClosedError {
  return new ClosedError(`idempotent "${name}", key "${key}": ${reason.message}`, {
    key,
    operation: "idempotent",
    cause: reason,
  });
}
