import assert from "node:assert/strict";
import { inspect } from "node:util";
import fc from "fast-check";
import { ConfigError } from "../../src/cache/errors.ts";
import { resolveAddress } from "../../src/cache/redis/address.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { VARIABLE_NAMES } from "../../src/config/variables.ts";
import { type FuzzTarget, target } from "./target.ts";

/** Stands for whatever must not be shown, wherever somebody has put it. */
const SECRET = "Hx7s3cr3t";

const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 30 }),
  fc.array(fc.nat(0xffff), { maxLength: 8 }).map((units) => String.fromCharCode(...units)),
  fc.string({
    unit: fc.constantFrom("a", "1", ":", "/", "@", "?", "#", "%", ",", "[", "]", "=", "&", " ", "-", "."),
    maxLength: 20,
  }),
);

const host = fc.constantFrom("localhost", "127.0.0.1", "[::1]", "a,b", "a:1,b:2", "", SECRET, "a:99999", "[::1", "a b");
const credentials = fc.constantFrom(
  "",
  "user:pass@",
  ":pass@",
  "user@",
  `user:${SECRET}@`,
  `${SECRET}@`,
  "%zz:pass@",
  "a@b@",
  `u:p/${SECRET}@`,
);
const path = fc.constantFrom(
  "",
  "/",
  "/0",
  "/3",
  "/master",
  "/master/2",
  "/tmp/socket",
  "/-1",
  "/1e3",
  `/${SECRET}`,
  "/9".repeat(40),
  "/%2e",
);
const query = fc.constantFrom(
  "",
  "?db=2",
  "?db=x",
  "?sentinelPassword=pass",
  `?sentinelUsername=u&sentinelPassword=${SECRET}`,
  `?${SECRET}=1`,
  "?db=1&db=2",
);
const scheme = fc.constantFrom(
  "redis",
  "rediss",
  "valkey",
  "redis+unix",
  "redis+sentinel",
  "rediss+cluster",
  "redis+cluster",
  "http",
  "memory",
);

const url = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(scheme, credentials, host, path, query)
      .map(([first, ...rest]) => `${first}://${rest.join("")}`),
  },
  path.map((socket) => `redis+unix://${socket}`),
  fc.tuple(scheme, anyText).map(([first, rest]) => `${first}://${rest}`),
  anyText,
);

const value = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      "true",
      "false",
      "1",
      "0",
      "",
      " ",
      "TRUE",
      "6379",
      "65536",
      "9007199254740993",
      "1e3",
      "redis",
      "memory",
      "localhost",
      SECRET,
    ),
  },
  { weight: 1, arbitrary: url },
  { weight: 1, arbitrary: anyText },
);

/** No file of this machine is read: what is there may have no end. */
const file = fc.constantFrom("", "/", "/nonexistent", SECRET, "a\0b", "\ud800");

const VALID: ReadonlyMap<string, fc.Arbitrary<string>> = new Map(
  Object.entries({
    CACHE_ENABLED: fc.constant("true"),
    CACHE_TYPE: fc.constant("redis"),
    CACHE_REDIS_URL: url,
    CACHE_REDIS_PORT: fc.constant("6379"),
    CACHE_REDIS_DATABASE: fc.nat(3).map(String),
    CACHE_REDIS_TLS: fc.constantFrom("true", "false"),
    CACHE_MANAGER_MAXCONNECTIONS: fc.constant("5"),
    CACHE_MANAGER_IDLETTL: fc.constant("1000"),
  }),
);

const environment: fc.Arbitrary<Record<string, string | undefined>> = fc.record(
  Object.fromEntries(
    ["CACHE_ENABLED", ...VARIABLE_NAMES, "__proto__", "constructor"].map((name) => [
      name,
      /_(CA|CERT|KEY)$/.test(name) ? file : fc.oneof({ weight: 3, arbitrary: VALID.get(name) ?? value }, value),
    ]),
  ),
  { requiredKeys: [] },
);

/** Few variables, so that some of them go together. */
/** What is likely to be right, so that it is the combination that matters. */
const plausible = fc.record(
  {
    CACHE_ENABLED: fc.constant("true"),
    CACHE_REDIS_URL: fc.constantFrom(
      "redis://localhost",
      "rediss://localhost:6380/3",
      "redis://user@localhost",
      "redis://user:pass@localhost",
      "redis+unix:///tmp/socket",
      "redis+cluster://a:1,b:2",
      "rediss+sentinel://a:1,b/master/2?sentinelUsername=u&sentinelPassword=pass",
    ),
    CACHE_REDIS_HOST: fc.constantFrom("localhost", "::1"),
    CACHE_REDIS_PORT: fc.constant("6380"),
    CACHE_REDIS_USERNAME: fc.constant("user"),
    CACHE_REDIS_PASSWORD: fc.constantFrom(SECRET, " "),
    CACHE_REDIS_DATABASE: fc.nat(3).map(String),
    CACHE_REDIS_TLS: fc.constantFrom("true", "false"),
    CACHE_REDIS_TLS_SERVERNAME: fc.constant("name"),
  },
  { requiredKeys: ["CACHE_ENABLED"] },
);

const memory = fc.record({
  CACHE_ENABLED: fc.constant("1"),
  CACHE_TYPE: fc.constant("memory"),
  CACHE_MANAGER_IDLETTL: value,
});

const sparse = fc.tuple(environment, fc.shuffledSubarray(["CACHE_ENABLED", ...VARIABLE_NAMES], { maxLength: 4 })).map(
  ([all, chosen]): Record<string, string | undefined> => ({
    ...Object.fromEntries(chosen.map((name) => [name, all[name]])),
    CACHE_ENABLED: "true",
  }),
);

/** What may be shown, since it is no secret there: an option that was accepted. */
function assertConcealed(shown: string, env: Readonly<Record<string, string | undefined>>): void {
  const mayShow = ["CACHE_REDIS_HOST", "CACHE_REDIS_USERNAME", "CACHE_REDIS_TLS_SERVERNAME"];
  if (mayShow.some((name) => env[name]?.includes(SECRET))) return;
  if (new RegExp(`://${SECRET}|/${SECRET}|@${SECRET}|sentinelUsername=${SECRET}`).test(env["CACHE_REDIS_URL"] ?? ""))
    return;
  assert(!shown.includes(SECRET), shown);
}

export const configurationTargets: readonly FuzzTarget[] = [
  target({
    name: "configuration",
    inputs: fc.oneof(environment, sparse, plausible, memory),
    outcomes: ["redis", "memory", "disabled", "refused"],
    runs: 2_000,
    check(env) {
      const config = orRefused(() => loadConfig(env));
      if (config === "refused") return config;
      if (config === undefined) return "disabled";
      assert(Number.isSafeInteger(config.manager.maxConnections) && config.manager.maxConnections > 0);
      assert(Number.isSafeInteger(config.manager.idleTtlMs) && config.manager.idleTtlMs > 0);
      if (config.type === "redis") {
        // Everything that is wrong has been reported: nothing is left for `connect` to find.
        resolveAddress(config.redis);
        assertConcealed(inspect(config, { depth: 10 }) + JSON.stringify(config), env);
      }
      return config.type;
    },
  }),
  target({
    name: "connection URLs",
    inputs: url,
    outcomes: ["host", "socket", "sentinel", "cluster", "refused"],
    runs: 2_000,
    check(text) {
      const address = orRefused(() => resolveAddress(text));
      if (address === "refused") return address;
      assert(Number.isSafeInteger(address.database) && address.database >= 0);
      assert(!address.label.includes("pass"), address.label);
      return address.at.kind;
    },
  }),
];

/** Bad configuration is a `ConfigError` that does not repeat what it was given. */
function orRefused<T>(act: () => T): T | "refused" {
  try {
    return act();
  } catch (error) {
    assert(error instanceof ConfigError && error.cause === undefined, String(error));
    assert(!inspect(error).includes(SECRET), error.message);
    return "refused";
  }
}
