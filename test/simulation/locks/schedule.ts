import fc from "fast-check";
import { accident, type Fault, losses, processFaults, serverFaults, settings, times } from "../faults.ts";
import type { Setting } from "../kernel/world.ts";
import type { Weather } from "../weather.ts";

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

/** How much happens: a lot, or little and all about one lock, so that rare meetings are met often. */
type Company = "crowd" | "duel";

const MAX_STEPS: Readonly<Record<Company, number>> = { crowd: 50, duel: 12 };

export function schedules(): fc.Arbitrary<Schedule> {
  const of = (ttlMs: number, weather: Weather, company: Company): fc.Arbitrary<Schedule> =>
    fc.record({
      setting: settings(),
      ttlMs: fc.constant(ttlMs),
      steps: steps(ttlMs, weather, company),
    });
  return fc.oneof(
    ...[100, 300, 1_000, 4_000].flatMap((ttlMs) => [
      { weight: 2, arbitrary: of(ttlMs, "calm", "crowd") },
      { weight: 4, arbitrary: of(ttlMs, "mild", "duel") },
      { weight: 7, arbitrary: of(ttlMs, "faulty", "crowd") },
      { weight: 10, arbitrary: of(ttlMs, "faulty", "duel") },
      { weight: 3, arbitrary: of(ttlMs, "lossy", "crowd") },
      { weight: 2, arbitrary: of(ttlMs, "lossy", "duel") },
    ]),
  );
}

function steps(ttlMs: number, weather: Weather, company: Company): fc.Arbitrary<readonly Step[]> {
  const array = (what: fc.Arbitrary<Step["what"]>, maxLength: number): fc.Arbitrary<Step[]> =>
    fc.array(fc.record({ afterMs: gap(ttlMs), what }), { minLength: 1, maxLength, size: "max" });
  const ms = times(ttlMs);
  const tasks = task(ttlMs, ms, company);
  if (weather === "mild") {
    const accidents = fc.array(fc.record({ afterMs: gap(ttlMs), what: accident(ms) }), { minLength: 1, maxLength: 2 });
    return fc.tuple(accidents, array(tasks, MAX_STEPS[company])).map((both) => both.flat());
  }
  const faults = weather === "calm" ? 0 : 1;
  const what = fc.oneof(
    { weight: 14, arbitrary: tasks },
    { weight: 1, arbitrary: fc.record({ close: fc.nat({ max: 3 }) }) },
    { weight: 10 * faults, arbitrary: processFaults(ms) },
    { weight: 2 * faults, arbitrary: serverFaults(ms) },
    { weight: weather === "lossy" ? 3 : 0, arbitrary: losses(ms) },
  );
  return array(what, MAX_STEPS[company]);
}

function gap(ttlMs: number): fc.Arbitrary<number> {
  return fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom(0, 0, 0.5, 1, 2, 5) },
    { weight: 1, arbitrary: times(ttlMs) },
  );
}

function task(ttlMs: number, ms: fc.Arbitrary<number>, company: Company): fc.Arbitrary<Task> {
  const ttl = fc.oneof(
    { weight: 6, arbitrary: fc.constant(ttlMs) },
    { weight: 1, arbitrary: fc.constantFrom(Math.max(100, ttlMs / 2), ttlMs * 2) },
  );
  const isDuel = company === "duel";
  return fc.record({
    task: fc.constantFrom("withLock", "withLock", "acquire", "acquire", "try", isDuel ? "try" : "both"),
    process: fc.nat({ max: isDuel ? 1 : 3 }),
    key: isDuel ? fc.constant(0) : fc.constantFrom(0, 0, 0, 1),
    ttlMs: ttl,
    waitMs: fc.oneof(
      { weight: 3, arbitrary: fc.constant(Number.POSITIVE_INFINITY) },
      { weight: 2, arbitrary: ms },
      { weight: 1, arbitrary: fc.constant(0) },
    ),
    workMs: fc.oneof(ms, fc.constantFrom(ttlMs * 2, ttlMs * 3)),
    abortAfterMs: seldom(ms),
    extendToMs: fc.oneof(
      { weight: isDuel ? 1 : 4, arbitrary: fc.constant([]) },
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
