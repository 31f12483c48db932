import slotOf from "cluster-key-slot";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../src/cache/errors.ts";
import { Claims } from "../../../src/manager/claims.ts";
import { checkPrefix, derivedPrefix } from "../../../src/manager/prefix.ts";
import { targetOf } from "../../../src/manager/target.ts";
import { leaseKeys } from "../../../src/primitives/lease/names.ts";

/** Any tenant id: empty, with what separates and escapes, in any script, with half characters, very long. */
const tenantId = fc.oneof(
  fc.string({ unit: fc.constantFrom(..."ab:{}%/#-._~ ü") }),
  fc.string({ unit: "binary" }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  fc.string({ minLength: 100, maxLength: 3_000 }),
);

describe("the derived prefix of a tenant", () => {
  it("is readable where the id is", () => {
    expect(derivedPrefix("acme")).toBe("tenant:acme:");
    expect(derivedPrefix("3f2b9c1e-7d0a")).toBe("tenant:3f2b9c1e-7d0a:");
    expect(derivedPrefix("a:b{c}%")).toBe("tenant:a%3Ab%7Bc%7D%25:");
    expect(derivedPrefix("")).toBe("tenant::");
    expect(derivedPrefix("x".repeat(200))).toMatch(/^tenant:#[\da-f]{64}:$/);
  });

  it("is no other tenant's, nor the beginning of another's, and is short", () => {
    fc.assert(
      fc.property(tenantId, tenantId, (a, b) => {
        const [mine, other] = [derivedPrefix(a), derivedPrefix(b)];
        expect(mine.startsWith(other)).toBe(a === b);
        expect(mine.length).toBeLessThan(140);
        expect(checkPrefix(mine, a)).toBe(mine);
      }),
      { numRuns: 500 },
    );
  });

  it("leaves the keys of one name in one slot of a cluster, and those of several in several", () => {
    fc.assert(
      fc.property(tenantId, fc.string({ unit: "grapheme", minLength: 1 }), (id, name) => {
        const prefix = derivedPrefix(id);
        const { lease, fence } = leaseKeys("lock", name);
        expect(slotOf(prefix + lease)).toBe(slotOf(prefix + fence));
        expect(slotOf(prefix + lease)).toBe(slotOf(lease));
      }),
    );
  });
});

describe("a configured prefix", () => {
  it.each([
    ["no string", 42],
    ["a lone surrogate", "\ud800"],
    ["a brace that is not closed", "a{b"],
    ["an empty hash tag", "a{}b"],
    ["513 bytes", "p".repeat(513)],
  ])("is refused when it has %s", (_, prefix) => {
    expect(() => checkPrefix(prefix, "acme")).toThrow(ConfigError);
    expect(() => checkPrefix(prefix, "acme")).toThrow('the keyPrefix of tenant "acme"');
  });

  it("may be empty, or hold a hash tag", () => {
    expect(checkPrefix("", "acme")).toBe("");
    expect(checkPrefix("{acme}:", "acme")).toBe("{acme}:");
  });
});

describe("claims", () => {
  const at = (prefix: string, ...endpoints: string[]): { prefix: string; endpoints: string[] } => ({
    prefix,
    endpoints: endpoints.length > 0 ? endpoints : ["server"],
  });

  it("keep tenants apart that would share keys, and only those", () => {
    const prefix = fc.string({ unit: fc.constantFrom("a", "b", ":"), maxLength: 4 });
    fc.assert(
      fc.property(fc.array(prefix, { maxLength: 30 }), (prefixes) => {
        const claims = new Claims();
        const granted: string[] = [];
        for (const [index, next] of prefixes.entries()) {
          const overlaps = granted.some((other) => other.startsWith(next) || next.startsWith(other));
          const claim = (): void => claims.claim(`tenant ${index}`, at(next));
          if (overlaps) expect(claim).toThrow(ConfigError);
          else claim();
          if (!overlaps) granted.push(next);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("are renewed by the tenant itself, however often", () => {
    const claims = new Claims();
    for (let i = 0; i < 3; i++) claims.claim("acme", at("a:"));
  });

  it("name both tenants and what to do", () => {
    const claims = new Claims();
    claims.claim("acme", at("a:"));
    expect(() => claims.claim("globex", at("a:b:"))).toThrow(/"acme" and "globex".*server.*"a:" and "a:b:"/);
  });

  it("are not given up: a tenant cannot move, and nobody can move in", () => {
    const claims = new Claims();
    claims.claim("acme", at("a:"));
    expect(() => claims.claim("acme", at("b:"))).toThrow(/"acme" resolved to .*before/);
    expect(() => claims.claim("acme", at("a:", "other server"))).toThrow(ConfigError);
    expect(() => claims.claim("globex", at("a:"))).toThrow(ConfigError);
  });

  it("know a cluster by any of its nodes", () => {
    const claims = new Claims();
    claims.claim("acme", at("a:", "node1", "node2"));
    claims.claim("acme", at("a:", "node2", "node3"));
    for (const node of ["node1", "node2", "node3"]) {
      expect(() => claims.claim("globex", at("a:", node))).toThrow(ConfigError);
    }
    claims.claim("globex", at("a:", "node4"));
  });

  it("are quick for many tenants", () => {
    const claims = new Claims();
    for (let i = 0; i < 20_000; i++) claims.claim(`tenant ${i}`, at(derivedPrefix(`tenant ${i}`)));
    expect(() => claims.claim("globex", at(derivedPrefix("tenant 19999")))).toThrow(ConfigError);
  });
});

describe("a target", () => {
  const idOf = (config: Parameters<typeof targetOf>[0]): string => targetOf(config, "acme").id;

  it("is the same for what is reached in the same way", () => {
    expect(idOf({ url: "redis://h:1/2" })).toBe(idOf({ redis: { host: "h", port: 1, database: 2 } }));
    expect(idOf({ redis: { host: "h", tls: { ca: "x", servername: "y" } } })).toBe(
      idOf({ redis: { host: "h", tls: { servername: "y", ca: "x" } } }),
    );
    expect(idOf({ url: "memory:a" })).toBe(idOf({ url: "memory:a" }));
  });

  it("is another for another server, database, user, password, or TLS", () => {
    const createContext = (): object => Object.create({ native: true });
    const ids = [
      "redis://h:1",
      "redis://h:2",
      "redis://h:1/1",
      "rediss://h:1",
      "redis://u:p@h:1",
      "redis://u:q@h:1",
      "redis://v:p@h:1",
      "redis+unix:///h",
      "redis+cluster://h:1",
      "redis+sentinel://h:1/a",
      "redis+sentinel://h:1/b",
      "memory:",
      "memory:h",
    ].map((url) => idOf({ url }));
    for (const tls of [{ key: "a" }, { key: "b" }, { key: Buffer.from("a") }])
      ids.push(idOf({ redis: { host: "h", tls } }));
    for (const secureContext of [createContext(), createContext()]) {
      ids.push(idOf({ redis: { host: "h", tls: { secureContext: secureContext as never } } }));
    }
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("is known by its endpoints, whoever logs in and however a host is written", () => {
    const endpoints = (url: string): readonly string[] => targetOf({ url }, "acme").endpoints;
    expect(endpoints("redis://u:p@Cache.Internal.:1/2")).toEqual(endpoints("rediss://cache.internal:1/2"));
    expect(endpoints("redis://127.0.0.1")).toEqual(endpoints("redis://localhost:6379/0"));
    expect(endpoints("redis://[::1]")).toEqual(endpoints("redis://localhost"));
    expect(endpoints("redis+cluster://a,b")).toEqual(["a:6379/0", "b:6379/0"]);
    expect(endpoints("redis+sentinel://a,b/main/3")).toEqual(["a:26379/main/3", "b:26379/main/3"]);
    expect(endpoints("redis+unix:///run/redis.sock?db=1")).toEqual(["/run/redis.sock/1"]);
  });

  it.each([
    ["nothing", undefined],
    ["neither url nor redis", {}],
    ["both", { url: "redis://h", redis: {} }],
    ["a URL that is none", { url: 42 }],
  ])("is refused when resolve gives %s", (_, config) => {
    expect(() => targetOf(config as never, "acme")).toThrow('resolve("acme") must give');
  });
});
