import { randomFillSync } from "node:crypto";
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

/** Random bytes are drawn in large portions: a small one costs as much as a large one. */
const POOL_BYTES = 8_192;
let pool: Uint8Array<ArrayBuffer> = new Uint8Array();
let drawn = 0;

function randomBytes(size: number): Uint8Array {
  if (size > POOL_BYTES) return randomFillSync(new Uint8Array(size));
  if (drawn + size > pool.length) {
    pool = randomFillSync(new Uint8Array(POOL_BYTES));
    drawn = 0;
  }
  const bytes = new Uint8Array(pool.buffer, drawn, size);
  drawn += size;
  return bytes;
}

/** The process's own clock. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  // Whole milliseconds: Node keeps a list of timers for each different delay, and fractions make every one different.
  setTimer: (callback, delayMs) =>
    delayMs > MAX_DELAY_MS ? new LongTimer(callback, delayMs) : setTimeout(callback, Math.ceil(delayMs)),
  clearTimer: (timer: Timer) =>
    timer instanceof LongTimer ? timer.clear() : clearTimeout(timer as NodeJS.Timeout | undefined),
  random: () => Math.random(),
  randomBytes,
};
