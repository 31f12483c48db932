import { randomBytes } from "node:crypto";
import type { Clock, Timer } from "./clock.ts";

// setTimeout takes a 32-bit delay and turns a longer one into 1 ms.
const MAX_DELAY_MS = 2_147_483_647;

/** A timer longer than setTimeout can take is a chain of several. */
class LongTimer {
  #handle: NodeJS.Timeout | undefined;

  constructor(callback: () => void, delayMs: number) {
    const step = (left: number): void => {
      this.#handle =
        left > MAX_DELAY_MS ? setTimeout(() => step(left - MAX_DELAY_MS), MAX_DELAY_MS) : setTimeout(callback, left);
    };
    if (delayMs !== Number.POSITIVE_INFINITY) step(delayMs);
  }

  clear(): void {
    clearTimeout(this.#handle);
  }
}

/** The process's own clock. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  setTimer: (callback, delayMs) =>
    delayMs > MAX_DELAY_MS ? new LongTimer(callback, delayMs) : setTimeout(callback, delayMs),
  clearTimer: (timer: Timer) =>
    timer instanceof LongTimer ? timer.clear() : clearTimeout(timer as NodeJS.Timeout | undefined),
  random: () => Math.random(),
  randomBytes: (size) => new Uint8Array(randomBytes(size)),
};
