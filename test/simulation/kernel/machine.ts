import type { Clock, Timer } from "../../../src/runtime/clock.ts";
import { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";

export interface MachineOptions {
  readonly seed: number;
  /** How many milliseconds of its monotonic clock pass in a true one. */
  readonly rate: number;
  /** The same of its wall clock, which somebody may keep right. */
  readonly wallRate: number;
  /** What its wall clock shows at the beginning. */
  readonly wallMs: number;
}

interface MachineTimer {
  readonly dueMs: number;
  readonly callback: () => void;
  /** By how much it will run late; Node's timers also run a little early. */
  readonly lateMs: number;
}

/** A timer of Node may run up to a millisecond before or after its time. */
const TIMER_ERROR_MS = 0.9;

/**
 * A machine with one process: its two clocks, its timers, and whether it runs.
 *
 * - `pause`: nothing of the process runs (a blocked event loop, SIGSTOP, a long
 *   garbage collection); its clocks go on, its timers are late.
 * - `suspend`: the whole machine sleeps; the monotonic clock stands still, too.
 * - `kill`: nothing of it will ever run again.
 *
 * Whatever comes from outside goes through {@link Machine.deliver}.
 */
export class Machine implements Clock {
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #timers = new Set<MachineTimer>();
  #rate: number;
  #wallRate: number;
  /** What the clocks showed at a true time; from there they run at `#rate`. */
  #anchorMs: number;
  #monotonicAtAnchor = 0;
  #wallAtAnchor: number;
  #frozen = false;
  #frozenUntilMs = 0;
  #suspended = false;
  #dead = false;
  #lateTimers: MachineTimer[] = [];
  #backlog: (() => void)[] = [];
  /** The monotonic time at which this machine last woke up, or had its wall clock set. */
  disturbedAtMs: number = Number.NEGATIVE_INFINITY;
  /** Called after anything of this process has run. */
  onRun: () => void = () => {};

  constructor(timeline: Timeline, { seed, rate, wallRate, wallMs }: MachineOptions) {
    this.#timeline = timeline;
    this.#random = new Random(seed);
    this.#rate = rate;
    this.#wallRate = wallRate;
    this.#anchorMs = timeline.nowMs;
    this.#wallAtAnchor = wallMs;
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** Neither dead, paused nor suspended. */
  get awake(): boolean {
    return !this.#dead && !this.#frozen;
  }

  /** How many timers are set. */
  get timers(): number {
    return this.#timers.size;
  }

  monotonicMs(): number {
    if (this.#suspended) return this.#monotonicAtAnchor;
    return this.#monotonicAtAnchor + (this.#timeline.nowMs - this.#anchorMs) * this.#rate;
  }

  /** In whole milliseconds, as `Date.now()` is. */
  wallMs(): number {
    return Math.floor(this.#wallAtAnchor + (this.#timeline.nowMs - this.#anchorMs) * this.#wallRate);
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const lateMs = this.#random.between(-TIMER_ERROR_MS, TIMER_ERROR_MS);
    const timer = { dueMs: this.monotonicMs() + Math.max(0, delayMs), callback, lateMs };
    if (delayMs === Number.POSITIVE_INFINITY) return timer;
    this.#timers.add(timer);
    this.#plan(timer);
    return timer;
  }

  clearTimer(timer: Timer): void {
    this.#timers.delete(timer as MachineTimer);
  }

  random(): number {
    return this.#random.next();
  }

  randomBytes(size: number): Uint8Array {
    return Uint8Array.from({ length: size }, () => Math.floor(this.#random.next() * 256));
  }

  /** Runs what came from outside: now, when it runs again, or never. */
  deliver(run: () => void): void {
    if (this.#dead) return;
    if (!this.awake) {
      this.#backlog.push(run);
      return;
    }
    run();
    this.onRun();
  }

  pause(ms: number): void {
    this.#freezeUntil(this.#timeline.nowMs + ms);
  }

  suspend(ms: number): void {
    this.#moveAnchor();
    this.#suspended = true;
    this.#freezeUntil(this.#timeline.nowMs + ms);
  }

  /** Ends every pause. */
  wake(): void {
    this.#frozenUntilMs = this.#timeline.nowMs;
    if (this.#frozen) this.#thaw();
  }

  kill(): void {
    this.#dead = true;
    this.#timers.clear();
    this.#backlog = [];
    this.#lateTimers = [];
  }

  /** Somebody set the wall clock, forwards or (negative) backwards. */
  jumpWall(ms: number): void {
    this.#wallAtAnchor += ms;
    this.disturbedAtMs = this.monotonicMs();
  }

  /** From now on the clocks run at another rate; a wall clock that somebody keeps right does not. */
  drift(rate: number): void {
    this.#moveAnchor();
    if (this.#wallRate !== 1) this.#wallRate = rate;
    this.#rate = rate;
    for (const timer of this.#timers) this.#plan(timer);
  }

  #freezeUntil(untilMs: number): void {
    this.#frozen = true;
    this.#frozenUntilMs = Math.max(this.#frozenUntilMs, untilMs);
    this.#timeline.at(untilMs, () => this.#thaw());
  }

  #thaw(): void {
    if (!this.#frozen || this.#timeline.nowMs < this.#frozenUntilMs) return;
    this.#frozen = false;
    if (this.#suspended) {
      this.#moveAnchor();
      this.#suspended = false;
    }
    this.disturbedAtMs = this.monotonicMs();
    // As Node's event loop does: first the timers, by their times, then what has come in.
    const timers = this.#lateTimers.sort((a, b) => a.dueMs - b.dueMs);
    const backlog = this.#backlog;
    this.#lateTimers = [];
    this.#backlog = [];
    for (const timer of timers) this.#timeline.after(0, () => this.#fire(timer));
    for (const run of backlog) this.#timeline.after(0, () => this.deliver(run));
  }

  #moveAnchor(): void {
    const elapsedMs = this.#timeline.nowMs - this.#anchorMs;
    if (!this.#suspended) this.#monotonicAtAnchor += elapsedMs * this.#rate;
    this.#wallAtAnchor += elapsedMs * this.#wallRate;
    this.#anchorMs = this.#timeline.nowMs;
  }

  #plan(timer: MachineTimer): void {
    const leftMs = (timer.dueMs + timer.lateMs - this.monotonicMs()) / this.#rate;
    this.#timeline.after(Math.max(0, leftMs), () => this.#fire(timer));
  }

  #fire(timer: MachineTimer): void {
    if (!this.#timers.has(timer)) return;
    if (!this.awake) {
      this.#lateTimers.push(timer);
      return;
    }
    // The machine was suspended, or runs more slowly than when the timer was set.
    if (this.monotonicMs() < timer.dueMs + timer.lateMs - 0.001) {
      this.#plan(timer);
      return;
    }
    this.#timers.delete(timer);
    timer.callback();
    this.onRun();
  }
}
