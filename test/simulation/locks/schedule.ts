import fc from "fast-check";
import { type Fault, losses, processFaults, serverFaults, settings, times } from "../faults.ts";
import type { Setting } from "../kernel/world.ts";

/** A schedule: data, so that it can be shrunk, printed and kept. */
export interface Schedule {
  readonly setting: Setting;
  readonly ttlMs: number;
  readonly steps: readonly Step[];
}

/** Something begins, `afterMs` after the step before. */
export interface Step {
  readonly afterMs: number;
  readonly what: Task | Close | Fault;
}

/** A process takes a lock, works under it and gives it back. */
export interface Task {
  readonly task: "withLock" | "acquire" | "try" | "both";
  readonly process: number;
  readonly key: 0 | 1;
  readonly ttlMs: number;
  readonly waitMs: number;
  readonly workMs: number;
  readonly abortAfterMs: number | undefined;
  /** In the middle of its work. */
  readonly extendToMs: readonly number[];
  /** Whether it goes on working when its signal has fired. */
  readonly stubborn: boolean;
  /** Whether it gives the lock back without waiting for its last `extend`. */
  readonly hasty: boolean;
  readonly renew: boolean;
  readonly fencing: boolean;
  readonly maxHoldMs: number | undefined;
  /** Whether its work fails in the end. */
  readonly throws: boolean;
}

/** The coordinator of a process is closed, and another one opened. */
export interface Close {
  readonly close: number;
}

/** What may go wrong: nothing, anything but that the store loses what it acknowledged, or anything. */
type Weather = "calm" | "faulty" | "lossy";

const MAX_STEPS = 50;

export function schedules(): fc.Arbitrary<Schedule> {
  const of = (ttlMs: number, weather: Weather): fc.Arbitrary<Schedule> =>
    fc.record({
      setting: settings(),
      ttlMs: fc.constant(ttlMs),
      steps: fc.array(step(ttlMs, weather), { minLength: 1, maxLength: MAX_STEPS, size: "max" }),
    });
  return fc.oneof(
    ...[100, 300, 1_000, 4_000].flatMap((ttlMs) => [
      { weight: 1, arbitrary: of(ttlMs, "calm") },
      { weight: 5, arbitrary: of(ttlMs, "faulty") },
      { weight: 2, arbitrary: of(ttlMs, "lossy") },
    ]),
  );
}

/** Whether nothing goes wrong in a schedule, not even a time limit that is too short for its network. */
export function isCalm({ setting, steps }: Schedule): boolean {
  return setting.operationLimitMs >= 200 && steps.every(({ what }) => !("fault" in what));
}

function step(ttlMs: number, weather: Weather): fc.Arbitrary<Step> {
  const ms = times(ttlMs);
  const faults = weather === "calm" ? 0 : 1;
  return fc.record({
    afterMs: fc.oneof({ weight: 2, arbitrary: fc.constantFrom(0, 0, 0.5, 1, 2, 5) }, { weight: 1, arbitrary: ms }),
    what: fc.oneof(
      { weight: 14, arbitrary: task(ttlMs, ms) },
      { weight: 1, arbitrary: fc.record({ close: fc.nat({ max: 3 }) }) },
      { weight: 10 * faults, arbitrary: processFaults(ms) },
      { weight: 2 * faults, arbitrary: serverFaults(ms) },
      { weight: weather === "lossy" ? 3 : 0, arbitrary: losses(ms) },
    ),
  });
}

function task(ttlMs: number, ms: fc.Arbitrary<number>): fc.Arbitrary<Task> {
  const ttl = fc.oneof(
    { weight: 6, arbitrary: fc.constant(ttlMs) },
    { weight: 1, arbitrary: fc.constantFrom(Math.max(100, ttlMs / 2), ttlMs * 2) },
  );
  return fc.record({
    task: fc.constantFrom("withLock", "withLock", "acquire", "acquire", "try", "both"),
    process: fc.nat({ max: 3 }),
    key: fc.constantFrom(0, 0, 0, 1),
    ttlMs: ttl,
    waitMs: fc.oneof(
      { weight: 3, arbitrary: fc.constant(Number.POSITIVE_INFINITY) },
      { weight: 2, arbitrary: ms },
      { weight: 1, arbitrary: fc.constant(0) },
    ),
    workMs: fc.oneof(ms, fc.constantFrom(ttlMs * 2, ttlMs * 3)),
    abortAfterMs: seldom(ms),
    extendToMs: fc.oneof(
      { weight: 4, arbitrary: fc.constant([]) },
      {
        weight: 1,
        arbitrary: fc.array(fc.constantFrom(Math.max(100, ttlMs / 2), ttlMs, ttlMs * 2), {
          minLength: 1,
          maxLength: 3,
        }),
      },
    ),
    stubborn: fc.boolean(),
    hasty: fc.boolean(),
    renew: fc.constantFrom(true, true, true, false),
    fencing: fc.constantFrom(true, true, true, true, false),
    maxHoldMs: seldom(fc.constantFrom(ttlMs, ttlMs * 2)),
    throws: fc.constantFrom(false, false, false, true),
  }) as fc.Arbitrary<Task>;
}

function seldom<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
}
