import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect } from "../../../src/connect.ts";
import type { Coordinator } from "../../../src/coordinator.ts";
import { recordCommands } from "../../support/monitor.ts";
import { type RedisServer, startServer } from "../../support/redis-server.ts";

/** What a guarded handler sends. Where `SET … IFEQ` is native, the finish is followed by its `PUBLISH` in the same write. */
describe("the commands of a guarded handler", () => {
  let server: RedisServer;
  let hold: Coordinator;
  const options = { name: "ship", key: (order: { id: string }) => order.id };

  beforeAll(async () => {
    server = await startServer();
    hold = await connect(server.url, { keyPrefix: "shop:" });
    // Loads the scripts, where there are any.
    await hold.idempotent(() => "done", options)({ id: "warm-up" });
  });

  afterAll(async () => {
    await hold.close();
    await server.stop();
  });

  const count = async (work: () => Promise<unknown>): Promise<number> => {
    const { sent } = await recordCommands(server, work);
    return sent.filter(({ name, args }) => name !== "PUBLISH" && args.some((arg) => arg.includes("{ship:"))).length;
  };

  test("are two for the first delivery, one for a duplicate, and none with the memo", async () => {
    const handle = hold.idempotent(() => "done", options);
    expect(await count(() => handle({ id: "1" }))).toBe(2);
    expect(await count(() => handle({ id: "1" }))).toBe(1);

    const memoised = hold.idempotent(() => "done", { ...options, memo: true });
    expect(await count(() => memoised({ id: "2" }))).toBe(2);
    expect(await count(() => memoised({ id: "2" }))).toBe(0);
    expect(await count(() => memoised({ id: "1" }))).toBe(1);
    expect(await count(() => memoised({ id: "1" }))).toBe(0);
  });

  test("are three for the first delivery with a fencing token, and still one for a duplicate", async () => {
    const handle = hold.idempotent((_, { fencingToken }) => fencingToken, { ...options, fencing: true });
    expect(await count(() => handle({ id: "3" }))).toBe(3);
    expect(await count(() => handle({ id: "3" }))).toBe(1);
  });

  test("are two for a message that failed", async () => {
    const failing = hold.idempotent(() => Promise.reject(new Error("no")), options);
    expect(await count(() => expect(failing({ id: "4" })).rejects.toThrow("no"))).toBe(2);
  });

  test("are few for any number of duplicates in one process", async () => {
    const handle = hold.idempotent(() => new Promise((resolve) => setTimeout(resolve, 50, "done")), options);
    expect(await count(() => Promise.all(Array.from({ length: 500 }, () => handle({ id: "5" }))))).toBe(2);
    expect(await count(() => Promise.all(Array.from({ length: 500 }, () => handle({ id: "5" }))))).toBe(1);
  });
});
