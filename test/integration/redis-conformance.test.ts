import { afterAll, beforeAll, describe, it } from "vitest";
import type { Cache } from "../../src/cache/contract.ts";
import { openRedisCache } from "../../src/cache/redis/index.ts";
import { cacheConformance } from "../../src/testing/conformance/index.ts";
import { Cluster, Redis } from "../support/ioredis.ts";
import { startCluster } from "../support/redis-cluster.ts";
import { startSentinel } from "../support/redis-sentinel.ts";
import { startServer } from "../support/redis-server.ts";

/** What the suite opens caches on; started before the first test and stopped after the last. */
interface Store {
  open(): Promise<Cache>;
  stop(): Promise<void>;
}

function conformance(name: string, start: () => Promise<Store>): void {
  describe(name, () => {
    let store: Store;
    beforeAll(async () => {
      store = await start();
    });
    afterAll(() => store?.stop());
    cacheConformance({ describe, it }, { name, open: () => store.open() });
  });
}

conformance("a server", async () => {
  const server = await startServer();
  return { open: () => openRedisCache(server.url, { keyPrefix: "app:" }), stop: () => server.stop() };
});

conformance("a client of the caller", async () => {
  const server = await startServer();
  const client = new Redis(server.port, { keyPrefix: "app:", db: 2, enableAutoPipelining: true });
  return {
    open: () => openRedisCache(client),
    stop: async () => {
      client.disconnect();
      await server.stop();
    },
  };
});

conformance("a cluster", async () => {
  const cluster = await startCluster();
  return { open: () => openRedisCache(cluster.url), stop: () => cluster.stop() };
});

conformance("a master found by Sentinel", async () => {
  const sentinel = await startSentinel();
  return { open: () => openRedisCache(sentinel.url), stop: () => sentinel.stop() };
});

conformance("a Cluster client of the caller", async () => {
  const cluster = await startCluster({ replicasPerMaster: 1 });
  const nodes = cluster.masters.map(({ host, port }) => ({ host, port }));
  const client = new Cluster(nodes, { keyPrefix: "app:", scaleReads: "slave" });
  return {
    open: () => openRedisCache(client),
    stop: async () => {
      client.disconnect();
      await cluster.stop();
    },
  };
});
