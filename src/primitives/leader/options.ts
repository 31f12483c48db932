import { checkFunction, checkText } from "../../cache/choices.ts";
import type { Clock } from "../../runtime/clock.ts";
import { isolated } from "../../runtime/isolated.ts";
import { systemClock } from "../../runtime/system-clock.ts";
import { type LeaseObserver, unobserved } from "../lease/events.ts";
import { defaultHolder } from "../lease/holder.ts";
import { snapshot } from "../lease/record.ts";
import type { Scope } from "../lease/scope.ts";
import { type LeaseTiming, leaseTiming } from "../lease/timing.ts";
import type { Term } from "./term.ts";

export interface ElectionOptions {
  /** How long a term outlives a leader that died, in milliseconds. At least 100. Default 15,000. */
  readonly ttlMs?: number | undefined;
  /** From one renewal to the next. Default a third of `ttlMs`. */
  readonly renewEveryMs?: number | undefined;
  /** Shown to others while this candidate leads, an address for example. Anything that CBOR can hold, in at most 60 KiB. */
  readonly metadata?: unknown;
  /**
   * Called once for each term whose work is still running when its lease is over, so that it may run beside the next
   * leader's. Nothing new is started until it settles; ending the process is the surest answer.
   */
  readonly onOverrun?: ((term: Term) => void) | undefined;
  /** The name that others see. Default host, process and a random part. */
  readonly holder?: string | undefined;
  /** Is told what happens to the leadership. */
  readonly observer?: LeaseObserver | undefined;
  /** Time, timers and randomness; for tests. */
  readonly clock?: Clock | undefined;
  /** Set by a coordinator, whose `close` then ends campaigns and resigns. */
  readonly scope?: Scope | undefined;
}

export interface ElectionSettings {
  readonly timing: LeaseTiming;
  readonly metadata: unknown;
  readonly onOverrun: (term: Term) => void;
  readonly holder: string;
  readonly observer: LeaseObserver;
  readonly clock: Clock;
  readonly scope: Scope | undefined;
}

/** Fills in the defaults. Throws `ConfigError` naming the option that is wrong. */
export function electionSettings(options: ElectionOptions = {}): ElectionSettings {
  const {
    ttlMs = 15_000,
    renewEveryMs,
    metadata,
    onOverrun = () => {},
    holder = defaultHolder(),
    observer = unobserved,
    clock = systemClock,
    scope,
  } = options;
  checkFunction(onOverrun, "onOverrun");
  checkText(holder, "holder");
  checkFunction(observer, "observer");
  return {
    timing: leaseTiming(ttlMs, renewEveryMs),
    metadata: snapshot(metadata),
    onOverrun: isolated(onOverrun),
    holder,
    observer: isolated(observer),
    clock,
    scope,
  };
}
