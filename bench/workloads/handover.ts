import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { part, type Subject } from "../contestants/contestant.ts";
import type { Stage } from "../process/stage.ts";
import { quantilesOf } from "./load.ts";
import { checkExclusion } from "./lock.ts";
import type { Metrics, Round, Workload } from "./workload.ts";

const TTL_MS = 10_000;
const HOLD_MS = 1;

interface Params extends Round {
  readonly processes: number;
  readonly callers: number;
  readonly sliceMs: number;
}

interface CrowdParams {
  readonly key: string;
  readonly callers: number;
  readonly startAtMs: number;
}

/** When one caller had the lock, in milliseconds of a clock that all processes share. */
interface Turn {
  readonly acquiredAtMs: number;
  readonly releasedAtMs: number;
}

/** Many want one lock. */
export const handover: Workload = {
  name: "handover",
  title: "Contended hand-over",
  description:
    "32 callers ask for one lock at the same moment, hold it for 1 ms each and are done; again and again. The times " +
    "are those from a release to the next acquisition; commands are per acquisition.",
  offer: "lock",
  cases: ({ quick, sliceMs, rounds }) =>
    [1, 4].map((processes) => ({
      name: processes === 1 ? "1 process" : `${processes} processes`,
      params: { processes, callers: (quick ? 8 : 32) / processes, sliceMs: quick ? sliceMs : 2 * sliceMs },
      rounds: Math.min(rounds, 3),
      budgetMs: 5_000,
    })),
  columns: [
    { metric: "p50Ms", title: "p50 ms", digits: 2 },
    { metric: "p99Ms", title: "p99 ms", digits: 2 },
    { metric: "commands", title: "commands", digits: 1 },
  ],
  roles: { check: checkExclusion, measure, crowd },
};

async function measure(subject: Subject, params: Params, stage: Stage): Promise<Metrics> {
  const { processes, callers, sliceMs, round } = params;
  const others = processes === 1 ? [] : await stage.crew(processes - 1);
  const drain = async (): Promise<number[]> => {
    const crowdParams: CrowdParams = { key: `queue:${randomUUID()}`, callers, startAtMs: nowMs() + 20 };
    const turns = await Promise.all([
      crowd(subject, crowdParams),
      ...others.map((other) => other.call<Turn[]>("handover", "crowd", crowdParams)),
    ]);
    return gapsBetween(turns.flat());
  };
  if (round === 0) {
    return { commands: (await stage.observer.countCommands(drain)) / (callers * processes) };
  }
  const gaps: number[] = [];
  for (const until = nowMs() + sliceMs; gaps.length === 0 || nowMs() < until; ) gaps.push(...(await drain()));
  const quantile = quantilesOf(gaps);
  return { p50Ms: quantile(0.5), p99Ms: quantile(0.99) };
}

/** The callers of one process. */
async function crowd(subject: Subject, { key, callers, startAtMs }: CrowdParams): Promise<Turn[]> {
  const acquire = part(subject, "acquire");
  await sleep(startAtMs - nowMs());
  const call = async (): Promise<Turn> => {
    const release = await acquire(key, TTL_MS);
    const acquiredAtMs = nowMs();
    await sleep(HOLD_MS);
    const releasedAtMs = nowMs();
    await release();
    return { acquiredAtMs, releasedAtMs };
  };
  return Promise.all(Array.from({ length: callers }, call));
}

/** For how long the lock was free while somebody waited for it. */
function gapsBetween(turns: readonly Turn[]): number[] {
  const inOrder = turns.toSorted((a, b) => a.acquiredAtMs - b.acquiredAtMs);
  return inOrder.slice(1).map(({ acquiredAtMs }, index) => {
    const gap = acquiredAtMs - (inOrder[index] as Turn).releasedAtMs;
    if (gap < 0) throw new Error(`two callers held the lock at once, for ${-gap} ms`);
    return gap;
  });
}

/** The system's monotonic clock, the same in all processes. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
