/** How fast, and at what cost, leadership goes from process to process. */

import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type RedisServer, startServer } from "../../support/redis-server.ts";
import { measureCrowd, measureHandOvers, measureTakeOvers } from "./measure.ts";
import { median } from "./processes.ts";

// Each test starts several processes, which may take their time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

let server: RedisServer;

beforeAll(async () => {
  server = await startServer();
});

afterAll(() => server.stop());

it("hands over to a candidate in another process by waking it, not by its next poll 5 s later", async () => {
  expect(median(await measureHandOvers(server, 11))).toBeLessThan(1_000);
});

it("is taken over when the lease of a killed leader expires, not before, and not by a poll 1 s later", async () => {
  const tookMs = await measureTakeOvers(server, 3);
  // The clock that tells the time of a server's answer and the one that tells a process's differ by a rounding.
  expect(Math.min(...tookMs)).toBeGreaterThan(-2);
  expect(median(tookMs)).toBeLessThan(250);
});

it("costs the store less than 2 commands per second and process, for 500 candidates in 4 processes", async () => {
  const { mean, most } = await measureCrowd(server, 4);
  expect(mean).toBeLessThan(2);
  expect(most).toBeLessThan(2);
});
