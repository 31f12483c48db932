import type { Fault } from "./faults.ts";
import type { Setting } from "./kernel/world.ts";

/**
 * What may go wrong: nothing, one message per process, anything but that the
 * store loses what it acknowledged, or anything.
 */
export type Weather = "calm" | "mild" | "faulty" | "lossy";

interface Scheduled {
  readonly setting: Setting;
  readonly ttlMs: number;
  readonly steps: readonly { readonly what: object | Fault }[];
}

/** Whether nothing goes wrong in a schedule, not even a time limit that is too short for its network. */
export function isCalm({ setting, steps }: Scheduled): boolean {
  return setting.operationLimitMs >= 200 && steps.every(({ what }) => !("fault" in what));
}

/** Whether so little goes wrong that nobody may lose a lease by it: at most one message in each process. */
export function isMild({ setting, ttlMs, steps }: Scheduled): boolean {
  const { maxDelayMs, operationLimitMs, processes, resends } = setting;
  if (resends || maxDelayMs * 20 > ttlMs || maxDelayMs * 4 > operationLimitMs) return false;
  const faults = steps.flatMap(({ what }) => ("fault" in what ? [what] : []));
  const isOne = faults.every((fault) => fault.fault === "accident" && fault.kind !== "twice");
  const hit = faults.map((fault) => ("process" in fault ? fault.process % processes : -1));
  return isOne && new Set(hit).size === hit.length;
}

/** Whether a message may arrive long after it was sent. */
export function isLate({ steps }: Scheduled): boolean {
  return steps.some(({ what }) => "fault" in what && "lateMs" in what && what.lateMs > 0);
}

/** Whether an operation may be given up so late that a lease which it took, perhaps one of half the length, is over. */
export function isSlow({ setting, ttlMs }: Scheduled): boolean {
  return 2 * setting.operationLimitMs > ttlMs;
}
