import type { Simulator } from "./explore.ts";
import { handlers } from "./idempotency/simulator.ts";
import { leaders } from "./leader/simulator.ts";
import { locks } from "./locks/simulator.ts";

/** Every primitive that is simulated. */
// biome-ignore lint/suspicious/noExplicitAny: each has schedules of its own kind
export const simulators: readonly Simulator<any>[] = [locks, handlers, leaders];
