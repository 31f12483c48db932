import { afterAll, beforeAll, describe, it } from "vitest";
import { openRedisCache } from "../../src/cache/redis/index.ts";
import { cacheConformance } from "../../src/testing/conformance/index.ts";
import { type RedisServer, startServer } from "../support/redis-server.ts";

describe("a server", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.stop());

  cacheConformance({ describe, it }, { name: "Redis", open: () => openRedisCache(server.url) });
});
