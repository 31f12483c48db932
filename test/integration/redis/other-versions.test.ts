import { connect as connectSocket, createServer, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openRedisCache } from "../../../src/cache/redis/index.ts";
import { recordCommands } from "../../support/monitor.ts";
import { type RedisServer, startServer } from "../../support/redis-server.ts";
import { bytes, MINUTE, text } from "./support.ts";

let server: RedisServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());
beforeEach(() => server.command("FLUSHALL"));

/** A server like ours that claims to be another one. */
async function claiming(name: string, version: string): Promise<{ url: string; stop(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const impostor: Server = createServer((client) => {
    const upstream = connectSocket(server.port, server.host);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {});
    }
    client.pipe(upstream);
    upstream.on("data", (chunk) => client.write(claim(chunk, name, version)));
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
  });
  await new Promise<void>((resolve) => impostor.listen(0, "127.0.0.1", resolve));
  const address = impostor.address();
  return {
    url: `redis://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => impostor.close(resolve));
    },
  };
}

/** Rewrites the answer to HELLO. */
function claim(chunk: Buffer, name: string, version: string): Buffer {
  const answer = chunk.toString("latin1");
  const pattern = /(\$6\r\nserver\r\n)\$\d+\r\n\w+\r\n(\$7\r\nversion\r\n)\$\d+\r\n[\w.]+\r\n/;
  const bulk = (value: string): string => `$${value.length}\r\n${value}\r\n`;
  return Buffer.from(answer.replace(pattern, `$1${bulk(name)}$2${bulk(version)}`), "latin1");
}

describe.each([
  ["redis", "6.2.14", "needs a script for everything"],
  ["redis", "8.4.0", "does not have the commands of its version"],
  ["valkey", "9.0.0", "does not have the commands of its version, perhaps"],
  ["another", "1.0.0", "is not known"],
])("a server that says it is %s %s, and %s", (name, version) => {
  it("is served all the same", async () => {
    const impostor = await claiming(name, version);
    const cache = await openRedisCache(impostor.url);
    try {
      for (let round = 0; round < 2; round++) {
        expect(await cache.getOrSet("key", bytes("a"), MINUTE)).toEqual({ value: bytes("a"), wasSet: true });
        expect(await cache.getOrSet("key", bytes("b"), 10)).toEqual({ value: bytes("a"), wasSet: false });
        expect(await cache.compareAndSet("key", bytes("x"), bytes("b"), MINUTE)).toBe(false);
        expect(await cache.compareAndSet("key", bytes("a"), bytes("b"), Number.POSITIVE_INFINITY)).toBe(true);
        expect(await server.command("PTTL", "key")).toBe(-1);
        expect(await cache.compareAndSet("key", bytes("x"), null)).toBe(false);
        expect(text(await cache.get("key"))).toBe("b");
        expect(await cache.compareAndSet("key", bytes("b"), null)).toBe(true);
        expect(await cache.get("key")).toBeUndefined();
        expect(await cache.getOrSet("key", bytes("c"), Number.POSITIVE_INFINITY)).toMatchObject({ wasSet: true });
        await cache.delete("key");
      }
    } finally {
      await cache.close();
      await impostor.stop();
    }
  });
});

it("a command that turned out not to exist is not tried a second time", async () => {
  const impostor = await claiming("redis", "8.4.0");
  const cache = await openRedisCache(impostor.url);
  await cache.set("key", bytes("a"), MINUTE);
  await cache.compareAndSet("key", bytes("a"), null);
  await cache.set("key", bytes("a"), MINUTE);
  const { sent } = await recordCommands(server, () => cache.compareAndSet("key", bytes("a"), null));
  expect(sent.map(({ name }) => name)).not.toContain("DELEX");
  await cache.close();
  await impostor.stop();
});
