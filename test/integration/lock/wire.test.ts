import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect } from "../../../src/connect.ts";
import type { Coordinator } from "../../../src/coordinator.ts";
import { recordCommands } from "../../support/monitor.ts";
import { type RedisServer, startServer } from "../../support/redis-server.ts";

describe("an uncontended lock on the wire", () => {
  let server: RedisServer;
  let hold: Coordinator;

  beforeAll(async () => {
    server = await startServer();
    hold = await connect(server.url);
  });

  afterAll(async () => {
    await hold.close();
    await server.stop();
  });

  const commands = async (work: () => Promise<unknown>): Promise<string[]> => {
    const { sent } = await recordCommands(server, work);
    // With native commands the announcement of a release is a command of its own, in the same write.
    return sent
      .map(({ name, args }) => `${name} ${args.find((arg) => arg.includes("{")) ?? ""}`)
      .filter((line) => !line.startsWith("PUBLISH"));
  };

  it("takes two commands in one round trip, and one to release, under a name that is new", async () => {
    const sent = await commands(() => hold.withLock("new", () => {}));
    expect(sent).toHaveLength(3);
    expect(sent.map((line) => line.split(" ")[1])).toEqual(["lock:{new}", "fence:{new}", "lock:{new}"]);
  });

  it("takes as many under a name that this process has used last", async () => {
    await hold.withLock("mine", () => {});
    expect(await commands(() => hold.withLock("mine", () => {}))).toHaveLength(3);
  });

  it("takes one more round trip under a name that another process has used last", async () => {
    await using other = await connect(server.url);
    await other.withLock("theirs", () => {});
    expect(await commands(() => hold.withLock("theirs", () => {}))).toHaveLength(5);
  });

  it("takes one command to acquire without a token", async () => {
    expect(await commands(() => hold.withLock("plain", () => {}, { fencing: false }))).toHaveLength(2);
  });

  it("takes one command for each renewal", async () => {
    const lock = await hold.acquireLock("long", { ttlMs: 600 });
    const sent = await commands(() => new Promise((resolve) => setTimeout(resolve, 900)));
    expect(sent.length).toBeGreaterThanOrEqual(3);
    expect(sent.length).toBeLessThanOrEqual(5);
    await lock.release();
  });

  it("needs no script where the server compares by itself", async () => {
    const { sent } = await recordCommands(server, () => hold.withLock("native", () => {}));
    const scripts = sent.filter(({ name }) => name.startsWith("EVAL"));
    const info = String(await server.command("INFO", "server"));
    const isNative = /valkey_version:(9|\d\d)\./.test(info);
    expect(scripts.length === 0).toBe(isNative);
  });
});
