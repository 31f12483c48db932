import { type ErrorDetails, HoldfastError } from "../../cache/errors.ts";
import type { LeaseRecord } from "../lease/record.ts";

/** A lock was not obtained within `waitMs`. Nothing of the attempt is left behind. */
export class LockTimeoutError extends HoldfastError {
  static override readonly kind: string = "LockTimeoutError";
  static override readonly code: string = "ERR_LOCK_TIMEOUT";
  /** Who had it when last seen, if that could be read. */
  declare readonly holder?: string;
  declare readonly fencingToken?: number;

  constructor(message: string, details: ErrorDetails & { readonly by?: LeaseRecord | undefined } = {}) {
    super(message, details);
    if (details.by === undefined) return;
    this.holder = details.by.holder;
    this.fencingToken = details.by.fencingToken;
  }
}

/** A lock ended before its holder gave it back: exclusion is not guaranteed any more. */
export class LockLostError extends HoldfastError {
  static override readonly kind: string = "LockLostError";
  static override readonly code: string = "ERR_LOCK_LOST";
  /** What the work returned, if it finished although its lock was lost. */
  declare readonly result?: unknown;

  constructor(message: string, details: ErrorDetails & { readonly result?: unknown } = {}) {
    super(message, details);
    if ("result" in details) this.result = details.result;
  }
}

/** The same async context already holds this lock: waiting for it would be waiting for itself. */
export class LockReentryError extends HoldfastError {
  static override readonly kind: string = "LockReentryError";
  static override readonly code: string = "ERR_LOCK_REENTRY";
}
