import type { Clock } from "./clock.ts";

/** A moment on both of a clock's faces. */
export interface Instant {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export function now(clock: Clock): Instant {
  return { monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() };
}

/**
 * Milliseconds since `since`: the larger of what the two clocks say. The
 * monotonic clock stands still while a machine is suspended, and the wall clock
 * can be set back; a lease must not outlive its TTL on either.
 */
export function elapsedMs(clock: Clock, since: Instant): number {
  return Math.max(clock.monotonicMs() - since.monotonicMs, clock.wallMs() - since.wallMs);
}
