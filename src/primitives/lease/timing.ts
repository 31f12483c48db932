import { checkDuration } from "../../cache/durations.ts";
import { ConfigError } from "../../cache/errors.ts";

/** The times of one lease, in milliseconds, checked to fit into each other. */
export interface LeaseTiming {
  readonly ttlMs: number;
  /** From the sending of one renewal that succeeded to the next. */
  readonly renewEveryMs: number;
  /** How long one renewal may take before another one is sent. */
  readonly attemptLimitMs: number;
  /** How much earlier than the TTL a holder stops believing in its lease. */
  readonly marginMs: number;
}

const MIN_TTL_MS = 100;
const MIN_INTERVAL_MS = 10;
/** 1 % for clocks whose rates differ, half as much again and 3 ms for timers that run late. */
const MARGIN_SHARE = 0.015;
const MARGIN_FLOOR_MS = 3;
const LONGEST_ATTEMPT_MS = 1_000;

/**
 * Throws `ConfigError` when the lease is shorter than 100 ms, or when a renewal
 * that is answered at the last moment would come too late.
 */
export function leaseTiming(ttlMs: number, every?: number): LeaseTiming {
  checkDuration(ttlMs, "ttlMs", MIN_TTL_MS);
  const renewEveryMs = every === undefined ? ttlMs / 3 : checkDuration(every, "renewEveryMs", MIN_INTERVAL_MS);
  const attemptLimitMs = Math.min(ttlMs / 6, LONGEST_ATTEMPT_MS);
  const marginMs = ttlMs * MARGIN_SHARE + MARGIN_FLOOR_MS;
  if (renewEveryMs + attemptLimitMs + marginMs >= ttlMs) {
    throw new ConfigError(
      `renewEveryMs ${renewEveryMs} + attempt limit ${attemptLimitMs} + margin ${marginMs} must be less than ttlMs ${ttlMs}`,
    );
  }
  return { ttlMs, renewEveryMs, attemptLimitMs, marginMs };
}

/** The same rhythm for another TTL. */
export function withTtl(timing: LeaseTiming, ttlMs: number): LeaseTiming {
  if (ttlMs === timing.ttlMs) return timing;
  checkDuration(ttlMs, "ttlMs", MIN_TTL_MS);
  return leaseTiming(ttlMs, Math.max(MIN_INTERVAL_MS, (timing.renewEveryMs / timing.ttlMs) * ttlMs));
}
