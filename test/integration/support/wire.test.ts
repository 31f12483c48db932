import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { disconnect, Redis } from "../../support/ioredis.ts";
import { recordCommands } from "../../support/monitor.ts";
import { startProxy, type TcpProxy } from "../../support/proxy.ts";
import { type RedisServer, startServer } from "../../support/redis-server.ts";
import { until } from "../../support/until.ts";

let server: RedisServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

describe("the proxy", () => {
  let proxy: TcpProxy;
  let client: Redis;
  beforeEach(async () => {
    proxy = await startProxy(server);
    client = new Redis(proxy.port, { retryStrategy: () => null, maxRetriesPerRequest: 0, commandTimeout: 10_000 });
    client.on("error", () => undefined);
    await client.set("key", "before");
  });
  afterEach(async () => {
    disconnect(client);
    await proxy.close();
  });

  test("passes and counts", async () => {
    const { bytes, chunks } = proxy.toServer;
    await client.get("key");
    expect(proxy.toServer.bytes - bytes).toBe("*2\r\n$3\r\nget\r\n$3\r\nkey\r\n".length);
    expect(proxy.toServer.chunks - chunks).toBe(1);
    expect(proxy.connections).toBe(1);
  });

  test("a lost reply: the command was executed, the client only sees its connection end", async () => {
    const cut = proxy.cutReply({ afterBytes: 0 });
    await expect(client.set("key", "after")).rejects.toThrow();
    await cut;
    expect(await server.command("GET", "key")).toBe("after");
  });

  test("a reply cut in the middle", async () => {
    const { bytes } = proxy.toClient;
    const cut = proxy.cutReply({ afterBytes: 3, request: "mget" });
    await expect(Promise.all([client.get("key"), client.mget("key", "other")])).rejects.toThrow();
    await cut;
    expect(proxy.toClient.bytes - bytes).toBeLessThanOrEqual("$6\r\nbefore\r\n".length + 3);
  });

  test("held towards the server, a command is executed after the release; towards the client, before", async () => {
    proxy.toServer.hold();
    const first = client.set("key", "held");
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await server.command("GET", "key")).toBe("before");
    proxy.heal();
    await first;

    proxy.toClient.hold();
    let answered = false;
    const second = client.set("key", "unanswered").then(() => {
      answered = true;
    });
    await until("the command is executed", async () => (await server.command("GET", "key")) === "unanswered");
    expect(answered).toBe(false);
    proxy.heal();
    await second;
  });

  test("latency delays each chunk", async () => {
    proxy.toServer.delayMs = 30;
    const start = performance.now();
    await client.get("key");
    expect(performance.now() - start).toBeGreaterThan(29);
  });

  test("cut and refused connections, until healed", async () => {
    proxy.refuse();
    await until("the client is disconnected", () => client.status === "end");
    await expect(client.connect()).rejects.toThrow();
    proxy.heal();
    await client.connect();
    expect(await client.get("key")).toBe("before");
  });
});

test("the recorder separates what clients send from what scripts run", async () => {
  const client = server.client();
  await client.ping();
  const { sent, scripted } = await recordCommands(server, async () => {
    await client.set("key", "value");
    await client.eval("return redis.call('get', KEYS[1])", 1, "key");
  });
  disconnect(client);
  expect(sent.map(({ name }) => name)).toEqual(["SET", "EVAL"]);
  expect(sent.find(({ name }) => name === "SET")?.args).toEqual(["key", "value"]);
  expect(scripted.map(({ name, args }) => [name, ...args])).toEqual([["GET", "key"]]);
});
