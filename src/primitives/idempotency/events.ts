import type { LossReason } from "../lease/lease.ts";

/**
 * What happens to guarded handlers, for logs and metrics. `name` is the guard's,
 * `key` the message's. Observers are called synchronously; what they throw is an
 * `uncaughtException` and disturbs nothing.
 */
export type IdempotencyEvent = About & Happening;

interface About {
  readonly kind: "idempotency";
  readonly name: string;
  readonly key: string;
}

type Happening =
  /** A handler is about to run. `attempt` above 1: after a run that was seen to end without a result. */
  | { readonly type: "claimed"; readonly attempt: number; readonly fencingToken: number }
  /** A call has settled. `durationMs` is without the time that its own handler took. */
  | { readonly type: "settled"; readonly outcome: IdempotencyOutcome; readonly durationMs: number }
  | { readonly type: "renewed"; readonly outcome: "renewed" | "refused" | "failed" }
  /**
   * A run's claim has ended before the run: its signal was aborted, or, when the
   * reason is `"unrecorded"`, the handler had finished and the store could not be
   * told. Another delivery may run the handler again.
   */
  | {
      readonly type: "lost";
      readonly attempt: number;
      readonly reason: LossReason | "unrecorded";
      readonly error?: unknown;
    }
  /** A handler's result could not be kept: duplicates will get an `IdempotencyResultError`. */
  | { readonly type: "result-omitted"; readonly reason: "too-large" | "unencodable"; readonly error: unknown }
  /** A claim could not be given back after the handler failed; it ends by its TTL. */
  | { readonly type: "release-failed"; readonly error: unknown }
  /** The event loop was blocked for most of the lease. */
  | { readonly type: "stalled"; readonly lateMs: number }
  | { readonly type: "store-error"; readonly error: unknown };

/** How a call of a guarded handler ended. */
export type IdempotencyOutcome =
  /** Its handler ran, and the result was returned. */
  | "executed"
  /** It got a recorded result, or a recorded error. */
  | "replayed"
  /** Its handler ran and threw. */
  | "failed"
  /** Its handler ran, but the claim was lost. */
  | "lost"
  | "in-progress"
  | "mismatch"
  /** The caller's signal ended it, or the coordinator was closed. */
  | "aborted"
  /** The store failed, or what it held was of no use. */
  | "error";

export type IdempotencyObserver = (event: IdempotencyEvent) => void;

/** Tells what happens to one message. */
export type Report = (happening: Happening) => void;

export function reportAbout(observer: IdempotencyObserver, name: string, key: string): Report {
  return (happening) => observer({ kind: "idempotency", name, key, ...happening });
}
