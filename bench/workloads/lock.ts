import { setTimeout as sleep } from "node:timers/promises";
import { part, type Subject } from "../contestants/contestant.ts";
import type { Stage } from "../process/stage.ts";
import { cycle, measureLoad } from "./load.ts";
import type { Metrics, Round, Workload } from "./workload.ts";

const TTL_MS = 10_000;
const KEYS = 10_000;
const COUNTED = 100;

interface Params extends Round {
  readonly concurrency: number;
  readonly sliceMs: number;
}

/** Nobody else wants the locks. */
export const lock: Workload = {
  name: "lock",
  title: "Uncontended lock: acquire and release",
  description:
    "Pairs over 10,000 keys, ttl 10 s. The times are those of a pair; microseconds are processor time of the Node " +
    "process and of the server's main thread.",
  offer: "lock",
  cases: ({ sliceMs }) =>
    [1, 64, 512].map((concurrency) => ({ name: String(concurrency), params: { concurrency, sliceMs } })),
  columns: [
    { metric: "p50Ms", title: "p50 ms", digits: 3, cases: ["1"] },
    { metric: "p99Ms", title: "p99 ms", digits: 3 },
    { metric: "perSecond", title: "pairs/s", digits: 0 },
    { metric: "clientMicros", title: "client µs", digits: 1, cases: ["64"] },
    { metric: "serverMicros", title: "server µs", digits: 1, cases: ["64"] },
    { metric: "commands", title: "commands", digits: 1, cases: ["1"] },
  ],
  roles: { check: checkExclusion, measure },
};

async function measure(subject: Subject, { concurrency, sliceMs, round }: Params, stage: Stage): Promise<Metrics> {
  const acquire = part(subject, "acquire");
  const nextKey = cycle("account", KEYS);
  const pair = async (): Promise<void> => {
    const release = await acquire(nextKey(), TTL_MS);
    await release();
  };
  if (round > 0) return measureLoad(pair, { concurrency, sliceMs }, stage);
  await measureLoad(pair, { concurrency, sliceMs }, stage);
  const commands = await stage.observer.countCommands(async () => {
    for (let i = 0; i < COUNTED; i++) await pair();
  });
  return { commands: commands / COUNTED };
}

/** A lock that is held is not given to another one, and is as soon as it was released. */
export async function checkExclusion(subject: Subject): Promise<void> {
  const acquire = part(subject, "acquire");
  const key = `check:${process.pid}`;
  const release = await acquire(key, TTL_MS);
  let isTaken = false;
  const second = acquire(key, TTL_MS).then((releaseSecond) => {
    isTaken = true;
    return releaseSecond;
  });
  await sleep(50);
  if (isTaken) throw new Error("the lock was given to a second holder");
  await release();
  await (await second)();
}
