import { cache } from "./cache.ts";
import { codec } from "./codec.ts";
import { handover } from "./handover.ts";
import { held } from "./held.ts";
import { idempotency } from "./idempotency.ts";
import { leader } from "./leader.ts";
import { lock } from "./lock.ts";
import { takeover } from "./takeover.ts";
import { waiters } from "./waiters.ts";
import type { Workload } from "./workload.ts";

/** All, in the order in which they run and are shown. */
export const WORKLOADS: readonly Workload[] = [
  lock,
  handover,
  takeover,
  leader,
  idempotency,
  cache,
  codec,
  held,
  waiters,
];
