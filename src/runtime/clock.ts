/**
 * The clock port: time, timers and randomness come into the library here and
 * nowhere else, so that a simulator can own them.
 */
export interface Clock {
  /** Milliseconds that never go backwards. May stand still while the machine is suspended. */
  monotonicMs(): number;
  /** Milliseconds since the Unix epoch. May jump either way. */
  wallMs(): number;
  /** Calls `callback` once, after at least `delayMs` (which may be `Infinity`: never). */
  setTimer(callback: () => void, delayMs: number): Timer;
  /** Forgets a timer. Harmless when it has run. */
  clearTimer(timer: Timer): void;
  /** A number in [0, 1), for jitter only. */
  random(): number;
  /** Unpredictable bytes, for nonces. */
  randomBytes(size: number): Uint8Array;
}

/** What {@link Clock.setTimer} gives; only that clock can read it. */
export type Timer = unknown;

/** Resolves after `ms`, or as soon as `signal` aborts; never rejects. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const wake = (): void => {
      clock.clearTimer(timer);
      signal?.removeEventListener("abort", wake);
      resolve();
    };
    const timer = clock.setTimer(wake, ms);
    signal?.addEventListener("abort", wake, { once: true });
  });
}
