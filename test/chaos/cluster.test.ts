/** A short run; longer ones, with all kinds of faults: npm run test:chaos -- --server cluster. */

import { expect, it } from "vitest";
import { findServer } from "../support/find-server.ts";
import { wreakChaos } from "./chaos.ts";
import { judgeAll } from "./judge/verdict.ts";
import { clusterFailover } from "./nemeses/failovers.ts";
import { migrateSlots } from "./nemeses/migration.ts";
import { replyLoss } from "./nemeses/wires.ts";
import { startShards } from "./stages/cluster.ts";

it("4 processes on a cluster keep every promise while slots move, primaries step back, and replies are lost", async () => {
  const evidence = await wreakChaos({
    start: async () => startShards(await findServer()),
    durationMs: 0,
    seed: 7,
    ttlMs: 600,
    calmMs: 200,
    nemeses: [migrateSlots, clusterFailover, replyLoss],
  });
  const { violations, nemeses } = judgeAll(evidence);
  expect(violations).toEqual([]);
  const struck = nemeses.map(({ nemesis }) => nemesis);
  expect(struck).toEqual(
    expect.arrayContaining(["CLUSTER FAILOVER", "replies lost, connections reset", "slot migration"]),
  );
}, 300_000);
