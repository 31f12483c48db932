import { setTimeout as sleep } from "node:timers/promises";
import { part, type Release, type Subject } from "../contestants/contestant.ts";
import type { Stage } from "../process/stage.ts";
import { heapBytes, inBatches } from "./growth.ts";
import { measureLoad } from "./load.ts";
import { checkExclusion } from "./lock.ts";
import type { Metrics, Workload } from "./workload.ts";

interface Params {
  readonly count: number;
  readonly ttlMs: number;
  readonly sliceMs: number;
}

/** Many locks are held and renewed. */
export const held: Workload = {
  name: "held",
  title: "Held locks, renewed",
  description:
    "One process holds so many locks with a ttl of 30 s and renews them: heap per lock, processor time of the Node " +
    "process during one ttl, in percent of a core, and the latency of another, uncontended pair meanwhile. Only those " +
    "that renew by themselves.",
  offer: "renewal",
  isolated: true,
  cases: ({ quick, sliceMs }) =>
    (quick ? [1, 1_000] : [1, 100, 10_000]).map((count) => ({
      name: `${count} held`,
      // Renewals of a single lock cost nothing that could be measured.
      params: { count, ttlMs: quick ? 3_000 : 30_000, sliceMs },
      rounds: 1,
    })),
  columns: [
    { metric: "heapBytes", title: "heap bytes", digits: 0 },
    { metric: "cpuPercent", title: "CPU %", digits: 1 },
    { metric: "p50Ms", title: "pair p50 ms", digits: 3 },
  ],
  roles: { check: checkExclusion, measure },
};

async function measure(subject: Subject, { count, ttlMs, sliceMs }: Params, stage: Stage): Promise<Metrics> {
  const acquire = part(subject, "acquire");
  const pair = async (): Promise<void> => {
    const release = await acquire("another", ttlMs);
    await release();
  };
  await measureLoad(pair, { concurrency: 1, sliceMs }, stage);

  const before = await heapBytes();
  const releases: Release[] = [];
  await inBatches(count, async (i) => releases.push(await acquire(`held:${i}`, ttlMs)));
  const heap = ((await heapBytes()) - before) / count;

  const cpuPercent = count < 10_000 && ttlMs > 3_000 ? {} : { cpuPercent: await cpuPercentDuring(ttlMs) };
  const { p50Ms = Number.NaN } = await measureLoad(pair, { concurrency: 1, sliceMs }, stage);
  await inBatches(count, async (i) => releases[i]?.());
  return { heapBytes: heap, p50Ms, ...cpuPercent };
}

async function cpuPercentDuring(periodMs: number): Promise<number> {
  const before = process.cpuUsage();
  const from = performance.now();
  await sleep(periodMs);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) / 1_000 / (performance.now() - from)) * 100;
}
