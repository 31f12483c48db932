import { setTimeout as sleep } from "node:timers/promises";
import { part, type Release, type Subject } from "../contestants/contestant.ts";
import type { Stage } from "../process/stage.ts";
import { heapBytes } from "./growth.ts";
import { checkExclusion } from "./lock.ts";
import type { Metrics, Workload } from "./workload.ts";

const TTL_MS = 60_000;

interface Params {
  readonly count: number;
  readonly windowMs: number;
}

/** Many wait for one lock. */
export const waiters: Workload = {
  name: "waiters",
  title: "Waiters",
  description:
    "One process in which so many wait for one lock that another connection holds: heap per waiter, processor time " +
    "while they wait, commands per second as the server counts them (those of scripts included), and the time from the " +
    "release to the first acquisition. Of libraries that retry at an interval, redlock stands for all.",
  offer: "lock",
  suits: ({ name }) => ["holdfast", "redlock 5 beta", "ioredfour"].includes(name),
  isolated: true,
  cases: ({ quick }) =>
    (quick ? [1, 100] : [1, 100, 10_000]).map((count) => ({
      name: `${count} waiting`,
      params: { count, windowMs: quick ? 300 : 2_000 },
      rounds: 1,
    })),
  columns: [
    { metric: "heapBytes", title: "heap bytes", digits: 0 },
    { metric: "cpuPercent", title: "CPU %", digits: 1 },
    { metric: "commandsPerSecond", title: "commands/s", digits: 0 },
    { metric: "handoverMs", title: "hand-over ms", digits: 2 },
  ],
  roles: { check: checkExclusion, measure },
};

async function measure(subject: Subject, { count, windowMs }: Params, stage: Stage): Promise<Metrics> {
  const acquire = part(subject, "acquire");
  const holder = await stage.openAnother();
  // What is loaded or opened by the first waiter is not the waiters' memory.
  await checkExclusion(subject);
  const release: Release = await part(holder, "acquire")("crowded", TTL_MS);

  const before = await heapBytes();
  const first = Promise.race(Array.from({ length: count }, () => acquire("crowded", TTL_MS)));
  await sleep(500);
  const heap = ((await heapBytes()) - before) / count;

  const commandsBefore = await stage.observer.commands();
  const cpuBefore = process.cpuUsage();
  const from = performance.now();
  await sleep(windowMs);
  const seconds = (performance.now() - from) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const commands = (await stage.observer.commands()) - commandsBefore;

  const releasedAtMs = performance.now();
  await release();
  await first;
  // The others go on waiting until this process is killed.
  return {
    heapBytes: heap,
    cpuPercent: (user + system) / 1e4 / seconds,
    commandsPerSecond: commands / seconds,
    handoverMs: performance.now() - releasedAtMs,
  };
}
