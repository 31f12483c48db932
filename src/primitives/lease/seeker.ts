import type { Acquisition, Grant } from "./acquisition.ts";
import type { Lease } from "./lease.ts";
import type { LeaseRecord } from "./record.ts";

/** Who wants a lease: the store's side of it, and what becomes of a grant or of a wait that ran out. */
export interface Seeker {
  readonly acquisition: Acquisition;
  /** Starts to hold what was granted. When that lease is lost, its line is to be told. */
  hold(grant: Grant): Lease;
  /** Is told of each fault of the store that the wait goes on after. */
  faulted(error: unknown): void;
  /** The error for a wait that ran out. */
  timedOut(seen: Seen): Error;
}

/** What was last seen while waiting. */
export interface Seen {
  /** The holder, if its record could be read. */
  readonly by?: LeaseRecord | undefined;
  /** The store's last error, if that was what stood in the way. */
  readonly error?: unknown;
}

/** Why a lease was not had, in words. */
export function whyNot(seen: Seen, verb: "held" | "led"): string {
  if (seen.error !== undefined) return "the store was at fault";
  if (!("by" in seen)) return "the store has not answered";
  return `it is ${verb} by ${seen.by?.holder ?? "somebody whose record cannot be read"}`;
}
