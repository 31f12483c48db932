import { expect, it, onTestFinished } from "vitest";
import { createManager } from "../../../src/manager/index.ts";
import { startCluster } from "../../support/redis-cluster.ts";
import { startServer } from "../../support/redis-server.ts";
import { staysIsolated } from "../../unit/manager/isolation.ts";

it("no operation of one tenant is seen by another, on two databases of a server", async () => {
  const server = await startServer();
  onTestFinished(() => server.stop());
  let evicted = 0;
  await staysIsolated({
    open: async () => {
      await server.command("FLUSHALL");
      // There is room for one connection, so that of the other database is evicted all the time.
      const manager = createManager({
        resolve: (tenantId) => ({ url: `${server.url}/${tenantId.length % 2}` }),
        maxConnections: 1,
      });
      manager.on("evicted", () => {
        evicted += 1;
      });
      return manager;
    },
    evict: async () => {},
    numRuns: 100,
  });
  expect(evicted).toBeGreaterThan(10);
}, 60_000);

it("no operation of one tenant is seen by another, on a cluster", async () => {
  const cluster = await startCluster();
  onTestFinished(() => cluster.stop());
  await staysIsolated({
    open: async () => {
      await Promise.all(cluster.masters.map((master) => master.command("FLUSHALL")));
      return createManager({ resolve: () => ({ url: cluster.url }) });
    },
    evict: async () => {},
    numRuns: 10,
  });
}, 60_000);
