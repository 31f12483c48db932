import { checks, memory } from "./cache.ts";
import { idempotency } from "./idempotency.ts";
import { leader } from "./leader.ts";
import { locks } from "./locks.ts";
import type { Mutant } from "./mutant.ts";
import { commands, redis } from "./redis.ts";
import { waiting } from "./waiting.ts";

export interface MutantGroup {
  readonly area: string;
  readonly mutants: readonly Mutant[];
  /**
   * Test files, or folders of them, that may catch these: the cheapest first. The next stage runs only when nothing
   * of the one before has failed. All of them are part of `npm test`.
   */
  readonly stages: readonly (readonly string[])[];
}

export const groups: readonly MutantGroup[] = [
  {
    area: "locks",
    mutants: locks,
    stages: [
      ["test/unit/lease", "test/unit/lock", "test/unit/coordinator"],
      ["test/property/lock-abort.test.ts"],
      ["test/simulation/locks"],
    ],
  },
  {
    area: "idempotency",
    mutants: idempotency,
    stages: [["test/unit/idempotency"], ["test/simulation/idempotency"]],
  },
  {
    area: "leader",
    mutants: leader,
    stages: [["test/unit/leader"], ["test/property/leader.test.ts"], ["test/simulation/leader"]],
  },
  {
    area: "waiting",
    mutants: waiting,
    stages: [
      ["test/unit/lease", "test/unit/lock", "test/unit/runtime"],
      ["test/unit/leader", "test/unit/idempotency"],
      ["test/property/bag.test.ts", "test/property/lock-abort.test.ts"],
      ["test/simulation"],
    ],
  },
  {
    area: "checks of input",
    mutants: checks,
    stages: [["test/unit/memory", "test/unit/redis"], ["test/property/memory-model.test.ts"]],
  },
  {
    area: "memory store",
    mutants: memory,
    stages: [["test/unit/memory"], ["test/property/memory-model.test.ts", "test/property/expiry-queue.test.ts"]],
  },
  { area: "Redis, without a server", mutants: redis, stages: [["test/unit/redis"]] },
  {
    area: "Redis, on a server",
    mutants: commands,
    stages: [
      ["test/integration/redis/watching.test.ts", "test/integration/redis/permissions.test.ts"],
      [
        "test/integration/conformance/standalone.test.ts",
        "test/integration/redis/faults.test.ts",
        "test/integration/redis/wire.test.ts",
      ],
    ],
  },
];
