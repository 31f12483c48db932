import { setTimeout as sleep } from "node:timers/promises";
import { Random } from "../simulation/kernel/random.ts";
import type { RedisServer } from "../support/redis-server.ts";
import { nowMs } from "../support/shared-clock.ts";
import type { Member } from "./member.ts";

export interface FaultOptions {
  readonly members: readonly Member[];
  readonly server: RedisServer;
  readonly ttlMs: number;
  readonly seed: number;
  readonly untilMs: number;
  /** The holder that leads now, if it is known: most faults are to hit it. */
  readonly leader: () => string | undefined;
}

export const FAULTS = ["kill", "pause", "partition", "half-partition", "cut", "restart", "store-pause"] as const;
export type Fault = (typeof FAULTS)[number];

/** What was done how often, and what went wrong already while doing it. */
export interface Havoc {
  readonly counts: Record<Fault, number>;
  readonly violations: string[];
}

/**
 * Does random faults to random members, most of them to the leader, several at a time, until the time is over. In the
 * end everything is as it was.
 */
export async function wreakHavoc(options: FaultOptions): Promise<Havoc> {
  const { members, leader, untilMs, ttlMs } = options;
  const random = new Random(options.seed);
  const havoc: Havoc = {
    counts: Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<Fault, number>,
    violations: [],
  };
  const underWay = new Set<Promise<void>>();
  while (nowMs() < untilMs) {
    await sleep(random.between(0.05, 0.9) * ttlMs);
    const leading = leader();
    const wanted = leading !== undefined && random.next() < 0.6;
    const target = wanted
      ? members.find((member) => member.isCalled(leading))
      : members[Math.floor(random.between(0, members.length))];
    if (target === undefined || target.isBusy) continue;
    const fault = FAULTS[Math.floor(random.between(0, FAULTS.length))] as Fault;
    havoc.counts[fault] += 1;
    target.isBusy = true;
    const doing: Promise<void> = inflict(fault, target, random.between(0, 2.5) * ttlMs, options, havoc)
      .catch((error: unknown) => void havoc.violations.push(`${fault}: ${error}`))
      .finally(() => {
        target.isBusy = false;
        underWay.delete(doing);
      });
    underWay.add(doing);
  }
  await Promise.all(underWay);
  return havoc;
}

async function inflict(
  fault: Fault,
  target: Member,
  forMs: number,
  { server, ttlMs }: FaultOptions,
  { violations }: Havoc,
): Promise<void> {
  switch (fault) {
    case "kill":
      target.signal("SIGKILL");
      await target.ended();
      await sleep(forMs);
      return target.spawn();
    case "pause":
      target.signal("SIGSTOP");
      await sleep(forMs);
      return target.signal("SIGCONT");
    case "partition":
      target.wire.partition();
      await sleep(forMs);
      return target.wire.heal();
    case "half-partition":
      (forMs % 2 < 1 ? target.wire.toServer : target.wire.toClient).hold();
      await sleep(forMs);
      return target.wire.heal();
    case "cut":
      return target.wire.cut();
    case "restart": {
      target.signal("SIGTERM");
      const how = await Promise.race([target.ended(), sleep(10 * ttlMs, "not at all", { ref: false })]);
      if (how !== "SIGTERM") violations.push(`a process that was told to end by SIGTERM ended with ${how}`);
      if (how === "not at all") target.signal("SIGKILL");
      await target.ended();
      return target.spawn();
    }
    case "store-pause":
      server.pause();
      await sleep(Math.min(forMs, ttlMs));
      return server.resume();
  }
}
