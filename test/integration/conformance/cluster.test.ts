import { openRedisCache } from "../../../src/cache/redis/index.ts";
import { Cluster, disconnect } from "../../support/ioredis.ts";
import { startCluster } from "../../support/redis-cluster.ts";
import { checkStore } from "./check-store.ts";

checkStore("a cluster of three nodes", async () => {
  const cluster = await startCluster();
  return { open: () => openRedisCache(cluster.url), stop: () => cluster.stop() };
});

checkStore("a cluster with replicas, through one client of the caller that reads from them", async () => {
  const cluster = await startCluster({ replicasPerMaster: 1 });
  const nodes = cluster.masters.map(({ host, port }) => ({ host, port }));
  const client = new Cluster(nodes, { keyPrefix: "app:", scaleReads: "slave" });
  return {
    open: () => openRedisCache(client),
    stop: async () => {
      disconnect(client);
      await cluster.stop();
    },
  };
});
