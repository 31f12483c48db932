import { openRedisCache } from "../../../src/cache/redis/index.ts";
import { startCluster } from "../../support/redis-cluster.ts";
import { checkStore } from "./check-store.ts";

checkStore("a cluster of three nodes", async () => {
  const cluster = await startCluster();
  return { open: () => openRedisCache(cluster.url), stop: () => cluster.stop() };
});
