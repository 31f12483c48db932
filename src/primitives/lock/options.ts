import { checkFunction, checkOneOf, checkSignal, checkText } from "../../cache/choices.ts";
import { checkDuration, checkWait } from "../../cache/durations.ts";
import type { Clock } from "../../runtime/clock.ts";
import { isolated } from "../../runtime/isolated.ts";
import { systemClock } from "../../runtime/system-clock.ts";
import { type LeaseObserver, unobserved } from "../lease/events.ts";
import { defaultHolder } from "../lease/holder.ts";
import { snapshot } from "../lease/record.ts";
import type { Scope } from "../lease/scope.ts";
import { type LeaseTiming, leaseTiming } from "../lease/timing.ts";

export interface LockOptions {
  /** How long the lock outlives a holder that died, in milliseconds. At least 100. Default 30,000. */
  readonly ttlMs?: number | undefined;
  /** How long to wait for the lock: 0 tries once, `Infinity` waits for ever. Default 10,000. */
  readonly waitMs?: number | undefined;
  /** Ends the wait, or a try that the store has not answered yet. A lock that is already held is not affected. */
  readonly signal?: AbortSignal | undefined;
  /** Whether the lock is renewed while it is held. Default `true`. */
  readonly renew?: boolean | undefined;
  /** From one renewal to the next. Default a third of `ttlMs`. */
  readonly renewEveryMs?: number | undefined;
  /** After this long the lock counts as lost, however well it is renewed. Default `Infinity`. */
  readonly maxHoldMs?: number | undefined;
  /** Shown by `inspectLock`, as it is now. Anything that CBOR can hold, in at most 60 KiB. */
  readonly metadata?: unknown;
  /** Whether a fencing token is issued. `false` saves one store operation. Default `true`. */
  readonly fencing?: boolean | undefined;
  /**
   * What happens when the same async context already holds the lock by `withLock`:
   * `"reject"` (default) fails at once with a `LockReentryError`, `"share"` runs
   * under the outer lock, `"wait"` waits all the same.
   */
  readonly nested?: "reject" | "share" | "wait" | undefined;
  /** The name that others see. Default host, process and a random part. */
  readonly holder?: string | undefined;
  /** Is told what happens to the lock. */
  readonly observer?: LeaseObserver | undefined;
  /** Time, timers and randomness; for tests. */
  readonly clock?: Clock | undefined;
  /** Set by a coordinator, whose `close` then ends waits and gives locks back. */
  readonly scope?: Scope | undefined;
}

export interface LockSettings {
  readonly timing: LeaseTiming;
  readonly waitMs: number;
  /** For all locks that are taken together; for messages. */
  readonly askedWaitMs: number;
  readonly signal: AbortSignal | undefined;
  readonly renew: boolean;
  readonly maxHoldMs: number;
  readonly metadata: unknown;
  readonly fencing: boolean;
  readonly nested: "reject" | "share" | "wait";
  readonly holder: string;
  readonly observer: LeaseObserver;
  readonly clock: Clock;
  readonly scope: Scope | undefined;
}

const YES_OR_NO = [true, false] as const;
const NESTED = ["reject", "share", "wait"] as const;

/** Fills in the defaults. Throws `ConfigError` naming the option that is wrong. */
export function lockSettings(options: LockOptions = {}): LockSettings {
  const {
    ttlMs = 30_000,
    renewEveryMs,
    waitMs = 10_000,
    signal,
    renew = true,
    maxHoldMs = Number.POSITIVE_INFINITY,
    metadata,
    fencing = true,
    nested = "reject",
    holder = defaultHolder(),
    observer = unobserved,
    clock = systemClock,
    scope,
  } = options;
  checkSignal(signal);
  checkText(holder, "holder");
  checkFunction(observer, "observer");
  if (maxHoldMs !== Number.POSITIVE_INFINITY) checkDuration(maxHoldMs, "maxHoldMs", 1);
  return {
    timing: leaseTiming(ttlMs, renewEveryMs),
    waitMs: checkWait(waitMs, "waitMs"),
    askedWaitMs: waitMs,
    signal,
    renew: checkOneOf(renew, "renew", YES_OR_NO),
    maxHoldMs,
    metadata: snapshot(metadata),
    fencing: checkOneOf(fencing, "fencing", YES_OR_NO),
    nested: checkOneOf(nested, "nested", NESTED),
    holder,
    observer: isolated(observer),
    clock,
    scope,
  };
}
