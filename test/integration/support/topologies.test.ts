import { expect, test } from "vitest";
import { startCluster } from "../../support/redis-cluster.ts";
import { startSentinel } from "../../support/redis-sentinel.ts";

test("a cluster serves every slot, each master its part, with replicas that follow", async () => {
  const cluster = await startCluster({ masters: 3, replicasPerMaster: 1 });
  const key = "{slot 0 belongs to the first master}";
  const answers = await Promise.allSettled(cluster.masters.map((master) => master.command("GET", key)));
  expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(cluster.replicas.map((each) => each.length)).toEqual([1, 1, 1]);
  await cluster.stop();
});

test("sentinels swap master and replica", async () => {
  const sentinel = await startSentinel();
  await sentinel.failover();
  expect(await sentinel.currentMaster()).toBe(sentinel.replica);
  await sentinel.stop();
});
