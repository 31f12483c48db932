import type { LossReason } from "./lease.ts";
import type { LeaseKind } from "./names.ts";

/**
 * What happens to leases, for logs and metrics. `kind` and `name` say which one
 * it is about. Observers are called synchronously; what they throw is an
 * `uncaughtException` and disturbs nothing.
 */
export type LeaseEvent = { readonly kind: LeaseKind; readonly name: string } & (
  | { readonly type: "acquired"; readonly fencingToken: number; readonly waitedMs: number }
  /** An acquisition that came to nothing. */
  | {
      readonly type: "not-acquired";
      readonly outcome: "occupied" | "timeout" | "aborted" | "failed";
      readonly waitedMs: number;
    }
  | { readonly type: "renewed"; readonly outcome: "renewed" | "refused" | "failed" }
  | { readonly type: "lost"; readonly fencingToken: number; readonly reason: LossReason }
  | {
      readonly type: "released";
      readonly fencingToken: number;
      readonly heldMs: number;
      readonly outcome: "released" | "lost";
    }
  /** The lease could not be taken back; it ends by its TTL. */
  | { readonly type: "release-failed"; readonly error: unknown }
  /** The work of a leader is still running although its lease is over. */
  | { readonly type: "overrun"; readonly fencingToken: number }
  /** The event loop was blocked for most of the lease. */
  | { readonly type: "stalled"; readonly lateMs: number }
  | { readonly type: "store-error"; readonly error: unknown }
);

export type LeaseObserver = (event: LeaseEvent) => void;

/** Nobody wants to know. */
export const unobserved: LeaseObserver = () => {};
