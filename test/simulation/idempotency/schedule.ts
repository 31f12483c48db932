import fc from "fast-check";
import { type Fault, losses, processFaults, serverFaults, settings, times } from "../faults.ts";
import type { Setting } from "../kernel/world.ts";

/** Deliveries of messages and what goes wrong meanwhile: data, so that it can be shrunk, printed and kept. */
export interface Schedule {
  readonly setting: Setting;
  readonly leaseTtlMs: number;
  readonly maxRunMs: number | undefined;
  readonly fencing: boolean;
  readonly memo: boolean;
  /** Whether the store may lose what it acknowledged. */
  readonly lossy: boolean;
  readonly steps: readonly Step[];
}

/** Something begins, `afterMs` after the step before. */
export interface Step {
  readonly afterMs: number;
  readonly what: Task | Close | Fault;
}

/** A message is delivered to a process. */
export interface Task {
  readonly process: number;
  readonly key: 0 | 1;
  /** Deliveries of one key with different payloads are different inputs. */
  readonly payload: 0 | 1;
  readonly waitMs: number;
  readonly abortAfterMs: number | undefined;
  /** What the handler does, if it is this delivery's that runs. */
  readonly work: Work;
}

export interface Work {
  readonly ms: number;
  readonly end: "returns" | "throws" | "throws for good";
  /** Whether it goes on when its signal has fired. */
  readonly stubborn: boolean;
}

/** The coordinator of a process is closed, and another one opened. */
export interface Close {
  readonly close: number;
}

const MAX_STEPS = 40;

export function schedules(): fc.Arbitrary<Schedule> {
  const of = (leaseTtlMs: number, lossy: boolean): fc.Arbitrary<Schedule> =>
    fc.record({
      setting: settings(),
      leaseTtlMs: fc.constant(leaseTtlMs),
      maxRunMs: seldom(fc.constantFrom(leaseTtlMs, leaseTtlMs * 2)),
      fencing: fc.boolean(),
      memo: fc.boolean(),
      lossy: fc.constant(lossy),
      steps: fc.array(step(leaseTtlMs, lossy), {
        minLength: 1,
        maxLength: MAX_STEPS,
        size: "max",
      }),
    });
  return fc.oneof(
    ...[100, 300, 1_000, 4_000].flatMap((leaseTtlMs) => [
      { weight: 3, arbitrary: of(leaseTtlMs, false) },
      { weight: 1, arbitrary: of(leaseTtlMs, true) },
    ]),
  );
}

function step(leaseTtlMs: number, lossy: boolean): fc.Arbitrary<Step> {
  const ms = times(leaseTtlMs);
  return fc.record({
    afterMs: fc.oneof({ weight: 2, arbitrary: fc.constantFrom(0, 0, 0.5, 1, 2, 5) }, { weight: 1, arbitrary: ms }),
    what: fc.oneof(
      { weight: 16, arbitrary: task(leaseTtlMs, ms) },
      { weight: 1, arbitrary: fc.record({ close: fc.nat({ max: 3 }) }) },
      { weight: 10, arbitrary: processFaults(ms) },
      { weight: 2, arbitrary: serverFaults(ms) },
      ...(lossy ? [{ weight: 3, arbitrary: losses(ms) }] : []),
    ),
  });
}

function task(leaseTtlMs: number, ms: fc.Arbitrary<number>): fc.Arbitrary<Task> {
  return fc.record({
    process: fc.nat({ max: 3 }),
    key: fc.constantFrom(0, 0, 0, 1),
    payload: fc.constantFrom(0, 0, 0, 0, 0, 1),
    waitMs: fc.oneof(
      { weight: 3, arbitrary: fc.constant(Number.POSITIVE_INFINITY) },
      { weight: 2, arbitrary: ms },
      { weight: 1, arbitrary: fc.constant(0) },
    ),
    abortAfterMs: seldom(ms),
    work: fc.record({
      ms: fc.oneof(ms, fc.constantFrom(leaseTtlMs * 2, leaseTtlMs * 3)),
      end: fc.constantFrom("returns", "returns", "returns", "returns", "throws", "throws", "throws for good"),
      stubborn: fc.boolean(),
    }),
  }) as fc.Arbitrary<Task>;
}

function seldom<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
}
