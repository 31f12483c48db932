import fc from "fast-check";

/** One primitive in simulated worlds. */
export interface Simulator<Schedule> {
  readonly name: string;
  readonly schedules: fc.Arbitrary<Schedule>;
  /** Rejects with a `Violation` when something happens that must not. `trace` is told everything that happens. */
  simulate(schedule: Schedule, trace?: (line: string) => void): Promise<Figures>;
  /** The schedule in one line per step, for people. */
  describe(schedule: Schedule): string[];
}

/** What was simulated. */
export interface Figures {
  readonly schedules: number;
  readonly steps: number;
  /** Things that happened: a message arrived, a timer ran… */
  readonly happenings: number;
  readonly storeCalls: number;
  /** Locks, leaderships or claims that were granted. */
  readonly grants: number;
  /** How much time passed in the simulated worlds. */
  readonly virtualMs: number;
}

export const NO_FIGURES: Figures = { schedules: 0, steps: 0, happenings: 0, storeCalls: 0, grants: 0, virtualMs: 0 };

export function addFigures(a: Figures, b: Figures): Figures {
  return {
    schedules: a.schedules + b.schedules,
    steps: a.steps + b.steps,
    happenings: a.happenings + b.happenings,
    storeCalls: a.storeCalls + b.storeCalls,
    grants: a.grants + b.grants,
    virtualMs: a.virtualMs + b.virtualMs,
  };
}

export interface Exploration {
  readonly figures: Figures;
  /** The shortest schedule that was found to break a promise, which one, and how to see it again. */
  readonly failure: string | undefined;
}

export interface ExploreOptions {
  readonly seed: number;
  readonly schedules: number;
  /** Of a failure that is to be seen again. */
  readonly path?: string | undefined;
  /** Whether a schedule that fails is made as short as can be. Default `true`. */
  readonly shrinks?: boolean;
}

/** Shrinking stops after this time with the shortest schedule so far. */
const SHRINK_MS = 120_000;

/** Simulates random schedules until one breaks a promise; that one is made as short as can be. */
export async function explore<Schedule>(
  simulator: Simulator<Schedule>,
  { seed, schedules, path, shrinks = true }: ExploreOptions,
): Promise<Exploration> {
  let figures = NO_FIGURES;
  let failedAtMs: number | undefined;
  const property = fc.asyncProperty(simulator.schedules, async (schedule) => {
    if (failedAtMs !== undefined && performance.now() - failedAtMs > SHRINK_MS) return;
    try {
      figures = addFigures(figures, await simulator.simulate(schedule));
    } catch (error) {
      failedAtMs ??= performance.now();
      throw error;
    }
  });
  const parameters = { seed, numRuns: schedules, endOnFailure: !shrinks, ...(path === undefined ? {} : { path }) };
  const details = await fc.check(property, parameters);
  if (!details.failed) return { figures, failure: undefined };
  const [schedule] = details.counterexample ?? [];
  if (schedule === undefined) return { figures, failure: String(details.errorInstance) };
  return {
    figures,
    failure: [
      `${simulator.name}: ${messageOf(details.errorInstance)}`,
      `seed ${details.seed}, path ${details.counterexamplePath}`,
      ...simulator.describe(schedule),
      "",
      ...(await traceOf(simulator, schedule)),
    ].join("\n"),
  };
}

/** What happens in a schedule, line by line. */
async function traceOf<Schedule>(simulator: Simulator<Schedule>, schedule: Schedule): Promise<string[]> {
  const lines: string[] = [];
  await simulator.simulate(schedule, (line) => lines.push(line)).catch((error: unknown) => lines.push(String(error)));
  return lines;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
