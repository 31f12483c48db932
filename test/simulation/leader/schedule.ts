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
  readonly what: Candidacy | Observation | Close | Fault;
}

/** A process is a candidate, works while it leads, and is not one any more when it has worked enough. */
export interface Candidacy {
  readonly candidacy: "run" | "campaign";
  readonly process: number;
  readonly election: 0 | 1;
  /** Of a campaign; `run` waits for ever. */
  readonly waitMs: number;
  readonly workMs: number;
  /** How many terms it serves to the end: it hands over after each but the last. A campaign has one. */
  readonly terms: number;
  /** Withdraws it, whatever it does then. */
  readonly abortAfterMs: number | undefined;
  /** Somebody calls `resign` of the election, whatever it does then. */
  readonly resignAfterMs: number | undefined;
  /** Whether its work goes on when its signal has fired. */
  readonly stubborn: boolean;
  /** Whether its work fails in the end. */
  readonly throws: boolean;
}

/** A process follows an election. */
export interface Observation {
  readonly observe: "observe" | "changed";
  readonly process: number;
  readonly election: 0 | 1;
  /** `undefined`: to the end. */
  readonly forMs: number | undefined;
}

/** The coordinator of a process is closed, and another one opened. */
export interface Close {
  readonly close: number;
}

const MAX_STEPS = 20;
const ELECTIONS = 2;

export function schedules(): fc.Arbitrary<Schedule> {
  const of = (ttlMs: number, weather: Weather): fc.Arbitrary<Schedule> =>
    fc.record({ setting: settings(), ttlMs: fc.constant(ttlMs), steps: steps(ttlMs, weather) });
  return fc.oneof(
    ...[100, 300, 1_000, 4_000].flatMap((ttlMs) => [
      { weight: 4, arbitrary: of(ttlMs, "calm") },
      { weight: 3, arbitrary: of(ttlMs, "mild") },
      { weight: 10, arbitrary: of(ttlMs, "faulty") },
      { weight: 3, arbitrary: of(ttlMs, "lossy") },
    ]),
  );
}

function steps(ttlMs: number, weather: Weather): fc.Arbitrary<readonly Step[]> {
  const ms = times(ttlMs);
  const step = (what: fc.Arbitrary<Step["what"]>): fc.Arbitrary<Step> => fc.record({ afterMs: gap(ms), what });
  const several = (what: fc.Arbitrary<Step["what"]>, maxLength: number): fc.Arbitrary<Step[]> =>
    fc.array(step(what), { minLength: 1, maxLength, size: "max" });
  const people = fc.oneof({ weight: 5, arbitrary: candidacy(ttlMs, ms) }, { weight: 2, arbitrary: observation(ms) });
  if (weather === "mild") {
    return fc.tuple(several(accident(ms), 2), several(people, MAX_STEPS / 2)).map((both) => both.flat());
  }
  const faults = weather === "calm" ? 0 : 1;
  const what = fc.oneof(
    { weight: 14, arbitrary: people },
    { weight: 1, arbitrary: fc.record({ close: fc.nat({ max: 3 }) }) },
    { weight: 9 * faults, arbitrary: processFaults(ms) },
    { weight: 2 * faults, arbitrary: serverFaults(ms) },
    { weight: weather === "lossy" ? 3 : 0, arbitrary: losses(ms) },
  );
  return several(what, MAX_STEPS);
}

function gap(ms: fc.Arbitrary<number>): fc.Arbitrary<number> {
  return fc.oneof({ weight: 2, arbitrary: fc.constantFrom(0, 0, 0.5, 1, 2, 5) }, { weight: 1, arbitrary: ms });
}

function candidacy(ttlMs: number, ms: fc.Arbitrary<number>): fc.Arbitrary<Candidacy> {
  return fc.record({
    candidacy: fc.constantFrom("run", "run", "campaign"),
    process: fc.nat({ max: 3 }),
    election: election(),
    waitMs: fc.oneof(
      { weight: 3, arbitrary: fc.constant(Number.POSITIVE_INFINITY) },
      { weight: 2, arbitrary: ms },
      { weight: 1, arbitrary: fc.constant(0) },
    ),
    workMs: fc.oneof(ms, fc.constantFrom(ttlMs * 2, ttlMs * 3)),
    terms: fc.constantFrom(1, 1, 1, 2),
    abortAfterMs: seldom(ms),
    resignAfterMs: seldom(ms),
    stubborn: fc.constantFrom(false, false, true),
    throws: fc.constantFrom(false, false, false, true),
  }) as fc.Arbitrary<Candidacy>;
}

function observation(ms: fc.Arbitrary<number>): fc.Arbitrary<Observation> {
  return fc.record({
    observe: fc.constantFrom("observe", "observe", "changed"),
    process: fc.nat({ max: 3 }),
    election: election(),
    forMs: seldom(ms),
  }) as fc.Arbitrary<Observation>;
}

function election(): fc.Arbitrary<number> {
  return fc.nat({ max: 5 }).map((one) => (one < ELECTIONS ? one : 0));
}

function seldom<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
}
