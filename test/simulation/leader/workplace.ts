import type { Scope } from "../../../src/primitives/lease/scope.ts";
import type { Process, World } from "../kernel/world.ts";
import type { Oracle } from "../leases/oracle.ts";
import type { Chronicle } from "./chronicle.ts";

/** Where candidates work: a process, and what is known of its world. */
export interface Workplace {
  readonly process: Process;
  readonly world: World;
  readonly oracle: Oracle;
  readonly chronicle: Chronicle;
  readonly ttlMs: number;
  readonly scope: Scope;
}
