import type { ServerBinary } from "../../support/find-server.ts";
import { startSentinel } from "../../support/redis-sentinel.ts";
import { until } from "../../support/until.ts";
import { isFollowing, isPrimary } from "./ask.ts";
import { DURABLE, type Stage } from "./stage.ts";

/** Longer than any fault that is not to lead to a fail-over, on a machine that has other things to do. */
const DOWN_AFTER_MS = 3_000;

/** A primary, its replica, and three Sentinels that make the replica the primary if the other one is gone. */
export async function startWithSentinels(binary: ServerBinary): Promise<Stage> {
  const sentinel = await startSentinel({
    sentinels: 3,
    downAfterMs: DOWN_AFTER_MS,
    server: { binary, config: DURABLE },
  });
  const { master, replica, sentinels } = sentinel;
  const nodes = [master, replica];
  return {
    url: sentinel.url,
    servers: [...nodes, ...sentinels],
    nodes,
    primaries: async () => [await sentinel.currentMaster()],
    async settled() {
      await until(
        "one of both leads, and the other one follows",
        async () => {
          const leads = await sentinel.currentMaster();
          const other = leads === master ? replica : master;
          return (await isPrimary(leads)) && (await isFollowing(other));
        },
        { timeoutMs: 120_000, everyMs: 100 },
      );
    },
    failover: sentinel.failover,
    stop: sentinel.stop,
  };
}
