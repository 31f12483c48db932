import type { Simulator } from "../explore.ts";
import { type Schedule, schedules } from "./schedule.ts";
import { simulate } from "./simulate.ts";

/** Elections: candidates that run and campaign, resign, withdraw and overrun; observers; closing of coordinators. */
export const leaders: Simulator<Schedule> = {
  name: "leaders",
  schedules: schedules(),
  simulate,
  describe: ({ setting, ttlMs, steps }) => [
    `in ${JSON.stringify(setting)}, terms of ${ttlMs} ms:`,
    ...steps.map(({ afterMs, what }) => `  + ${String(afterMs).padStart(5)} ms  ${JSON.stringify(what)}`),
  ],
};
