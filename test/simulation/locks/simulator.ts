import type { Simulator } from "../explore.ts";
import { type Schedule, schedules } from "./schedule.ts";
import { simulate } from "./simulate.ts";

/** Locks: acquire, try, withLock on one and on several keys, extend, release, closing of coordinators. */
export const locks: Simulator<Schedule> = {
  name: "locks",
  schedules: schedules(),
  simulate,
  describe: ({ setting, ttlMs, steps }) => [
    `in ${JSON.stringify(setting)}, leases of ${ttlMs} ms:`,
    ...steps.map(({ afterMs, what }) => `  + ${String(afterMs).padStart(5)} ms  ${JSON.stringify(what)}`),
  ],
};
