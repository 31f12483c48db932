import { Cluster, Command, Redis } from "ioredis";
import { Cluster as Cluster5, Command as Command5, Redis as Redis5 } from "ioredis5";
import { describe, expect, it } from "vitest";
import { commandClassOf, isRedisClient, type RedisClient } from "../../../src/cache/redis/client.ts";

/** Each of these must compile, or a user's client would not. */
const clients: readonly [string, RedisClient][] = [
  ["a Redis of ioredis 6", new Redis({ lazyConnect: true })],
  ["a Cluster of ioredis 6", new Cluster([{ port: 1 }], { lazyConnect: true })],
  ["a Redis of ioredis 5", new Redis5({ lazyConnect: true })],
  ["a Cluster of ioredis 5", new Cluster5([{ port: 1 }], { lazyConnect: true })],
];

describe("a client that is handed in", () => {
  it.each(clients)("%s is recognised, and not connected for it", (_, client) => {
    expect(isRedisClient(client)).toBe(true);
    const CommandOfClient = commandClassOf(client);
    const command = new CommandOfClient("PING", [], { replyEncoding: null });
    expect(command.toWritable({})).toBe("*1\r\n$4\r\nPING\r\n");
    expect(client.status).toBe("wait");
  });

  it("has commands of its own copy of ioredis", () => {
    const classes = clients.map(([, client]) => commandClassOf(client));
    expect(classes).toEqual([Command, Command, Command5, Command5]);
  });

  it.each([undefined, null, "redis://localhost", {}, { host: "localhost" }, new Map(), () => {}])(
    "%o is none",
    (value) => {
      expect(isRedisClient(value)).toBe(false);
    },
  );
});
