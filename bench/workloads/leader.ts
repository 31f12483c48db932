import { setTimeout as sleep } from "node:timers/promises";
import { part, type Release, type Subject } from "../contestants/contestant.ts";
import type { Stage } from "../process/stage.ts";
import { quantilesOf } from "./load.ts";
import { checkExclusion } from "./lock.ts";
import type { Metrics, Round, Workload } from "./workload.ts";

const TTL_MS = 15_000;

interface Params extends Round {
  readonly sliceMs: number;
}

/** The leader steps down in good order, as in a rolling deploy. */
export const leader: Workload = {
  name: "leader",
  title: "Graceful hand-over of a leadership",
  description:
    "Two candidates on connections of their own; the one that leads resigns. The times are those from there to the " +
    "other's election. Peers have no elections: their leader holds a lock.",
  offer: "lock",
  suits: ({ variant }) => variant.name !== "fencing: false",
  cases: ({ quick, sliceMs, rounds }) => [
    {
      name: "2 candidates",
      params: { sliceMs: quick ? sliceMs : 3 * sliceMs },
      rounds: Math.min(rounds, 3),
      budgetMs: 5_000,
    },
  ],
  columns: [
    { metric: "p50Ms", title: "p50 ms", digits: 2 },
    { metric: "maxMs", title: "longest ms", digits: 2 },
  ],
  roles: { check: checkExclusion, measure },
};

let other: Subject | undefined;

async function measure(subject: Subject, { sliceMs }: Params, stage: Stage): Promise<Metrics> {
  other ??= await stage.openAnother();
  const candidates = [candidate(subject), candidate(other)];
  const times: number[] = [];
  let resign = await (candidates[0] as Candidate)();
  for (const from = performance.now(); times.length < 2 || performance.now() < from + sliceMs; ) {
    const elected = (candidates[(times.length + 1) % 2] as Candidate)().then((itsResign) => ({
      itsResign,
      atMs: performance.now(),
    }));
    // Any moment of the other's retry interval.
    await sleep(20 + Math.random() * 20);
    const resignedAtMs = performance.now();
    await resign();
    const { itsResign, atMs } = await elected;
    times.push(atMs - resignedAtMs);
    resign = itsResign;
  }
  await resign();
  return { p50Ms: quantilesOf(times)(0.5), maxMs: Math.max(...times) };
}

type Candidate = () => Promise<Release>;

function candidate(subject: Subject): Candidate {
  const take = subject.lead ? part(subject, "lead") : part(subject, "acquire");
  return () => take("scheduler", TTL_MS);
}
