import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { part, type Release, type Subject } from "../contestants/contestant.ts";
import type { Stage } from "../process/stage.ts";
import { quantilesOf } from "./load.ts";
import { checkExclusion } from "./lock.ts";
import type { Metrics, Round, Workload } from "./workload.ts";

const TTL_MS = 1_000;
const APART_MS = 23;

interface Params extends Round {
  readonly locks: number;
}

interface HoldParams {
  readonly keys: readonly string[];
}

/** The holder dies. */
export const takeover: Workload = {
  name: "takeover",
  title: "Takeover after a crash",
  description:
    "A process that holds eight locks with a ttl of 1 s is killed. The times are those from the instant at which the " +
    "server lets a lock expire to its acquisition by one who waits in another process; commands are those of a waiter " +
    "from the crash to its acquisition.",
  offer: "lock",
  cases: ({ quick, rounds }) => [
    { name: "ttl 1 s", params: { locks: quick ? 2 : 8 }, rounds: Math.min(rounds, 2), budgetMs: 8_000 },
  ],
  columns: [
    { metric: "p50Ms", title: "p50 ms", digits: 1 },
    { metric: "maxMs", title: "longest ms", digits: 1 },
    { metric: "commands", title: "commands", digits: 1 },
  ],
  roles: { check: checkExclusion, measure, hold },
};

async function measure(subject: Subject, { locks, round }: Params, stage: Stage): Promise<Metrics> {
  const acquire = part(subject, "acquire");
  const { observer } = stage;
  const keys = Array.from({ length: locks }, () => `job-${randomUUID()}`);
  const holder = await stage.startProcess();
  await holder.call("takeover", "hold", { keys });

  const takeovers = keys.map(async (key) => ({ release: await acquire(key, TTL_MS), atMs: wallClockMs() }));
  await holder.kill();
  const expiries = await Promise.all(keys.map((key) => observer.expiryOf(key)));

  const taken: Promise<unknown> = Promise.all(takeovers);
  const commands = round === 0 ? await observer.countCommands(() => taken) : 0;
  const done: readonly { release: Release; atMs: number }[] = await Promise.all(takeovers);
  await Promise.all(done.map(({ release }) => release()));
  if (round === 0) return { commands: commands / locks };

  const late = done.map(({ atMs }, index) => atMs - (expiries[index] as number));
  // The server's clock is in whole milliseconds.
  if (Math.min(...late) < -1) throw new Error(`a lock was taken ${-Math.min(...late)} ms before it expired`);
  const quantile = quantilesOf(late);
  return { p50Ms: quantile(0.5), maxMs: Math.max(...late) };
}

/** Takes the locks, at moments that are not in step with anybody's interval, and never gives them back. */
async function hold(subject: Subject, { keys }: HoldParams): Promise<void> {
  const acquire = part(subject, "acquire");
  for (const key of keys) {
    await acquire(key, TTL_MS);
    await sleep(APART_MS);
  }
}

function wallClockMs(): number {
  return performance.timeOrigin + performance.now();
}
