import type { Simulator } from "../explore.ts";
import { type Schedule, schedules } from "./schedule.ts";
import { simulate } from "./simulate.ts";

/** Guarded handlers: deliveries to several processes, handlers that return, throw and overrun, closing of coordinators. */
export const handlers: Simulator<Schedule> = {
  name: "handlers",
  schedules: schedules(),
  simulate,
  describe: ({ setting, steps, ...guard }) => [
    `in ${JSON.stringify(setting)}, guarded with ${JSON.stringify(guard)}:`,
    ...steps.map(({ afterMs, what }) => `  + ${String(afterMs).padStart(5)} ms  ${JSON.stringify(what)}`),
  ],
};
