import { Bag, type Baggable } from "./bag.ts";
import type { Clock, Timer } from "./clock.ts";

/** Somebody for whom time may have passed that timers know nothing of. */
export interface JumpListener extends Baggable {
  onClockJump(): void;
}

const LOOK_EVERY_MS = 1_000;
/** By so much the wall clock may have run ahead of the monotonic one before anybody is told. */
const TOLERANCE_MS = 5;

/**
 * Notices, within a second, that the wall clock has gone forwards without the monotonic clock: the machine was suspended,
 * and all timers with it, or somebody has set the clock. One timer for all who want to know, while there are any.
 */
export class ClockJumps {
  readonly #clock: Clock;
  readonly #listeners = new Bag<JumpListener>();
  #timer: Timer;
  /** How far the wall clock was ahead when all listeners had last looked at it. */
  #aheadMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(listener: JumpListener): void {
    if (this.#listeners.isEmpty) this.#start();
    this.#listeners.add(listener);
  }

  delete(listener: JumpListener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.isEmpty) this.#clock.clearTimer(this.#timer);
  }

  #start(): void {
    this.#aheadMs = this.#ahead();
    this.#arm();
  }

  #arm(): void {
    this.#timer = this.#clock.setTimer(() => this.#look(), LOOK_EVERY_MS);
  }

  #look(): void {
    this.#arm();
    const aheadMs = this.#ahead();
    const jumped = aheadMs - this.#aheadMs > TOLERANCE_MS;
    // A clock that goes back may come forwards again by as much.
    if (jumped || aheadMs < this.#aheadMs) this.#aheadMs = aheadMs;
    if (jumped) for (const listener of this.#listeners.toArray()) listener.onClockJump();
  }

  #ahead(): number {
    return this.#clock.wallMs() - this.#clock.monotonicMs();
  }
}

const jumpsOf = new WeakMap<Clock, ClockJumps>();

/** The jumps of a clock, for all who use it. */
export function clockJumps(clock: Clock): ClockJumps {
  let jumps = jumpsOf.get(clock);
  if (jumps === undefined) {
    jumps = new ClockJumps(clock);
    jumpsOf.set(clock, jumps);
  }
  return jumps;
}
