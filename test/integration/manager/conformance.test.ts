import { afterAll, beforeAll, describe, it } from "vitest";
import { createManager, type Manager } from "../../../src/manager/index.ts";
import { cacheConformance } from "../../../src/testing/index.ts";
import { type RedisServer, startServer } from "../../support/redis-server.ts";

describe("a tenant's cache", () => {
  let server: RedisServer;
  const managers: Manager[] = [];

  beforeAll(async () => {
    server = await startServer();
  });

  afterAll(async () => {
    await Promise.all(managers.map((manager) => manager.close()));
    await server.stop();
  });

  cacheConformance(
    { describe, it },
    {
      name: "on a server",
      open: async () => {
        const manager = createManager({ resolve: () => ({ url: server.url }) });
        managers.push(manager);
        return manager.get("acme");
      },
    },
  );
});
