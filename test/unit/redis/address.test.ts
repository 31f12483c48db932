import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../src/cache/errors.ts";
import { type Address, resolveAddress } from "../../../src/cache/redis/address.ts";
import type { RedisConfig } from "../../../src/cache/redis/options.ts";

function faultOf(target: string | RedisConfig): ConfigError {
  try {
    resolveAddress(target);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return error as ConfigError;
  }
  throw new Error("it was expected to be refused");
}

const plain = { username: undefined, password: undefined, database: 0, tls: undefined };

describe("a connection URL", () => {
  it.each<[string, Partial<Address>]>([
    [
      "redis://cache.internal",
      { at: { kind: "host", host: "cache.internal", port: 6379 }, label: "cache.internal:6379" },
    ],
    ["valkey://cache.internal:7000", { at: { kind: "host", host: "cache.internal", port: 7000 } }],
    ["redis://", { at: { kind: "host", host: "localhost", port: 6379 } }],
    ["redis://[::1]:7000/2", { at: { kind: "host", host: "::1", port: 7000 }, database: 2, label: "[::1]:7000/2" }],
    ["redis://h?db=3", { at: { kind: "host", host: "h", port: 6379 }, database: 3 }],
    ["rediss://h", { at: { kind: "host", host: "h", port: 6379 }, tls: {} }],
    ["redis://app:p%40ss@h", { username: "app", password: "p@ss", label: "h:6379" }],
    ["redis://:p:ss@h", { username: undefined, password: "p:ss" }],
    ["redis+unix:///run/redis.sock?db=1", { at: { kind: "socket", path: "/run/redis.sock" }, database: 1 }],
    [
      "redis+unix://:secret@/run/my%20redis.sock",
      { at: { kind: "socket", path: "/run/my redis.sock" }, password: "secret" },
    ],
    [
      "redis+cluster://a:7000,b,[::2]:7002",
      {
        at: {
          kind: "cluster",
          nodes: [
            { host: "a", port: 7000 },
            { host: "b", port: 6379 },
            { host: "::2", port: 7002 },
          ],
        },
        label: "the cluster a:7000,b:6379,[::2]:7002",
      },
    ],
    [
      "rediss+sentinel://app:pw@a,b:27000/orders/4?sentinelPassword=spw",
      {
        at: {
          kind: "sentinel",
          hosts: [
            { host: "a", port: 26379 },
            { host: "b", port: 27000 },
          ],
          name: "orders",
          username: undefined,
          password: "spw",
        },
        username: "app",
        password: "pw",
        database: 4,
        tls: {},
        label: "orders (Sentinels a:26379,b:27000)/4",
      },
    ],
  ])("%s", (url, expected) => {
    expect(resolveAddress(url)).toMatchObject({ ...plain, ...expected });
  });

  it.each<[string, RegExp]>([
    ["", /must begin with redis:\/\//],
    ["http://localhost", /must begin with/],
    ["redis://h:70000", /the port is not a whole number from 1 to 65535/],
    ["redis://h:x", /host 1 is not of the form/],
    ["redis+cluster://a,,b", /host 2 is not of the form/],
    ["redis://a,b", /several hosts need/],
    ["redis://h/x", /the database is not/],
    ["redis://h/-1", /the database is not/],
    ["redis+cluster://a/1", /a cluster has only database 0/],
    ["redis+sentinel://a:1", /the name of the master is missing/],
    ["redis+unix://", /the path of the Unix socket is missing/],
    ["redis+unix://h/run/redis.sock", /a Unix socket has no host/],
    ["redis://u@h", /a user name needs a password/],
    ["redis://h?timeout=3", /a parameter other than db/],
    ["redis://u:pa/ss@h", /written as %2F/],
    ["redis://u:%zz@h", /followed by two hexadecimal digits/],
  ])("%s is refused", (url, message) => {
    expect(faultOf(url).message).toMatch(message);
  });

  it("is refused with all its faults at once", () => {
    expect(faultOf("redis+cluster://a:0,b:99999/3").message).toMatch(/nodes\[0\].*nodes\[1\]/);
  });
});

describe("a configuration", () => {
  it("is the same as the URL that says so", () => {
    expect(resolveAddress({ host: "h", port: 7000, username: "u", password: "p", database: 2, tls: true })).toEqual(
      resolveAddress("rediss://u:p@h:7000/2"),
    );
    expect(resolveAddress({ sentinel: { hosts: [{ host: "a" }], name: "orders" } })).toEqual(
      resolveAddress("redis+sentinel://a/orders"),
    );
    expect(resolveAddress({ cluster: { nodes: [{ host: "a", port: 7000 }] } })).toEqual(
      resolveAddress("redis+cluster://a:7000"),
    );
  });

  it("has the server of this machine for its default only when a port is given", () => {
    expect(resolveAddress({ port: 7000 })).toMatchObject({ at: { kind: "host", host: "localhost", port: 7000 } });
    for (const config of [{}, { host: undefined }, { password: "p", tls: true }]) {
      expect(faultOf(config as RedisConfig).message).toMatch(/it does not say where the server is/);
    }
  });

  it.each<[unknown, RegExp]>([
    [{ url: "redis://h" }, /other than host, port/],
    [{ type: "memory" }, /other than host, port/],
    [{ host: "h", pasword: "p" }, /other than host, port/],
    [{ cluster: { nodes: [{ host: "h" }], hosts: [] } }, /cluster has properties other than nodes/],
    [{ cluster: { nodes: [{ host: "h", prot: 7000 }] } }, /cluster\.nodes\[0\] has properties other than host, port/],
    [{ cluster: { nodes: ["h"] } }, /cluster\.nodes\[0\] is not an object/],
    [{ cluster: null }, /cluster is not an object/],
    [{ sentinel: null }, /sentinel is not an object/],
    [{ sentinel: { hosts: [{ host: "h" }], group: "orders" } }, /sentinel has properties other than hosts, name/],
    [["redis://h"], /other than host, port/],
    [[], /where the server is/],
    [new Map(), /where the server is/],
    [null, /it is not an object/],
    [() => {}, /it is not an object/],
  ])("of another shape is refused: %o", (config, message) => {
    expect(faultOf(config as RedisConfig).message).toMatch(message);
  });

  it.each(["redis://h", "h:6379", "a host", "[::1]", "user@h", "h/1", "a,b"])("takes no host like %s", (host) => {
    expect(faultOf({ host }).message).toMatch(/not just a name or an IP address/);
  });

  it.each<[object, RegExp]>([
    [{ host: "h", path: "/run/redis.sock" }, /only one of/],
    [{ host: 5 }, /the host is missing/],
    [{ host: null }, /the host is missing/],
    [{ host: "h", port: "6379" }, /the port is not/],
    [{ cluster: { nodes: [] } }, /cluster\.nodes is not a list/],
    [{ sentinel: { hosts: "a", name: "orders" } }, /sentinel\.hosts is not a list/],
    [{ password: 5 }, /the password is not a string/],
    [{ tls: "yes" }, /tls is neither/],
    [{ database: 1.5 }, /the database is not/],
  ])("%o is refused", (config, message) => {
    expect(faultOf(config).message).toMatch(message);
  });
});

it("no part of a secret is ever repeated, wherever it was put by mistake", () => {
  const secret = "hunter2";
  const places = fc.constantFrom(
    (s: string) => `redis://user:${s}/${s}@host:1`,
    (s: string) => `redis://user:${s}#${s}@host`,
    (s: string) => `redis://user:${s}?${s}=${s}@host`,
    (s: string) => `redis://host:${s}`,
    (s: string) => `redis://host/${s}`,
    (s: string) => `${s}://host`,
    (s: string) => `redis://user:%${s}@host`,
    (s: string) => `redis+sentinel://host?sentinelPass=${s}`,
    (s: string) => `redis://host?${s}`,
  );
  fc.assert(
    fc.property(places, fc.string({ maxLength: 5 }), (place, noise) => {
      const fault = faultOf(place(`${secret}${encodeURIComponent(noise)}`));
      expect(inspect(fault, { depth: 5, showHidden: true })).not.toContain(secret);
    }),
  );
});
