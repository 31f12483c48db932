import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { ConfigError } from "../../../src/cache/errors.ts";
import { resolveAddress } from "../../../src/cache/redis/address.ts";
import { type CacheConfig, loadConfig } from "../../../src/config/load-config.ts";
import { VARIABLE_NAMES } from "../../../src/config/variables.ts";

type Env = Record<string, string>;

const enabled = { CACHE_ENABLED: "true" };
const withHost = { ...enabled, CACHE_REDIS_HOST: "cache.internal" };
const manager = { maxConnections: 100, idleTtlMs: 900_000 };

/** The faults of an environment, one line each. */
function faultsOf(env: Env): string[] {
  try {
    loadConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message.split("\n- ").slice(1);
  }
  return [];
}

function redisOf(env: Env): unknown {
  const config = loadConfig(env);
  return config?.type === "redis" ? { ...config.redis } : undefined;
}

function temporaryFile(content: string): string {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-config-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, "file.pem"), content);
  return join(directory, "file.pem");
}

describe("loadConfig", () => {
  it("gives undefined when the cache is disabled, whatever else is said", () => {
    expect(loadConfig({})).toBeUndefined();
    expect(loadConfig({ PATH: "/bin", CACHE_DIR: "/var/cache" })).toBeUndefined();
    for (const word of ["false", "FALSE", "0"]) {
      expect(loadConfig({ CACHE_ENABLED: word, CACHE_REDIS_PORT: "nonsense" })).toBeUndefined();
    }
  });

  it("reads the process's own environment by default", () => {
    expect(loadConfig()).toEqual(loadConfig(process.env));
  });

  it("reads a server by its parts", () => {
    expect(loadConfig(withHost)).toEqual({ type: "redis", redis: { host: "cache.internal" }, manager });
    const env = {
      CACHE_ENABLED: " True ",
      CACHE_TYPE: "redis",
      CACHE_REDIS_HOST: "cache.internal",
      CACHE_REDIS_PORT: "6380",
      CACHE_REDIS_USERNAME: "app",
      CACHE_REDIS_PASSWORD: " s3cret ",
      CACHE_REDIS_DATABASE: "3",
      CACHE_REDIS_TLS: "true",
      CACHE_MANAGER_MAXCONNECTIONS: "7",
      CACHE_MANAGER_IDLETTL: "60000",
    };
    expect(redisOf(env)).toEqual({
      host: "cache.internal",
      port: 6380,
      username: "app",
      password: " s3cret ",
      database: 3,
      tls: true,
    });
    expect(loadConfig(env)?.manager).toEqual({ maxConnections: 7, idleTtlMs: 60_000 });
  });

  it("reads a server by its URL, with credentials of its own or from variables", () => {
    const url = { ...enabled, CACHE_REDIS_URL: "rediss://app:s3cret@cache.internal:6380/3" };
    const parts = { host: "cache.internal", port: 6380, username: "app", password: "s3cret", database: 3, tls: true };
    expect(redisOf(url)).toEqual(parts);
    expect(
      redisOf({
        ...enabled,
        CACHE_REDIS_URL: "rediss://app@cache.internal:6380",
        CACHE_REDIS_PASSWORD: "s3cret",
        CACHE_REDIS_DATABASE: "3",
      }),
    ).toEqual(parts);
    expect(redisOf({ ...enabled, CACHE_REDIS_URL: "redis+sentinel://a,b/main" })).toMatchObject({
      sentinel: { name: "main" },
    });
    expect(redisOf({ ...enabled, CACHE_REDIS_URL: "redis+cluster://a,b" })).toMatchObject({
      cluster: { nodes: [{ host: "a" }, { host: "b" }] },
    });
  });

  it("gives what the Redis backend takes", () => {
    const config = loadConfig({ ...withHost, CACHE_REDIS_PASSWORD: "s3cret" }) as CacheConfig & { type: "redis" };
    expect(resolveAddress(config.redis)).toMatchObject({ label: "cache.internal:6379", password: "s3cret" });
  });

  it("reads the embedded store", () => {
    expect(loadConfig({ ...enabled, CACHE_TYPE: "memory" })).toEqual({ type: "memory", manager });
  });

  it("reads certificates from the files that are named", () => {
    const path = temporaryFile("-----BEGIN CERTIFICATE-----");
    const env = { ...withHost, CACHE_REDIS_TLS: "1", CACHE_REDIS_TLS_CA: path, CACHE_REDIS_TLS_SERVERNAME: "cache" };
    expect(redisOf(env)).toMatchObject({ tls: { ca: "-----BEGIN CERTIFICATE-----", servername: "cache" } });
  });

  it("takes a variable that is set to nothing for one that is not set", () => {
    expect(loadConfig({ CACHE_ENABLED: "", CACHE_REDIS_HOST: " " })).toBeUndefined();
    expect(redisOf({ ...withHost, CACHE_REDIS_PASSWORD: "", CACHE_REDIS_URL: "" })).toEqual({ host: "cache.internal" });
  });

  it("has no default for the host", () => {
    const missing = "CACHE_REDIS_URL, CACHE_REDIS_HOST: neither is set, and there is no default; set one of them";
    expect(faultsOf(enabled)).toEqual([missing]);
    expect(faultsOf({ ...enabled, CACHE_TYPE: "redis", CACHE_REDIS_HOST: "  " })).toEqual([missing]);
  });

  it("reports all faults at once, each with its variable", () => {
    const faults = faultsOf({
      CACHE_ENABLED: "yes please",
      CACHE_TYPE: "memcached",
      CACHE_REDIS_HOST: "cache.internal",
      CACHE_REDIS_PORT: "65536",
      CACHE_REDIS_DATABASE: "-1",
      CACHE_REDIS_TLS: "maybe",
      CACHE_REDIS_USERNAME: "app",
      CACHE_MANAGER_MAXCONNECTIONS: "0",
      CACHE_MANAGER_IDLETTL: "15m",
    });
    expect(faults.map((fault) => fault.split(":")[0])).toEqual([
      "CACHE_ENABLED",
      "CACHE_TYPE",
      "CACHE_REDIS_PORT",
      "CACHE_REDIS_DATABASE",
      "CACHE_REDIS_TLS",
      "CACHE_MANAGER_MAXCONNECTIONS",
      "CACHE_MANAGER_IDLETTL",
      "CACHE_REDIS_PASSWORD",
    ]);
  });

  const url = "redis://cache.internal";
  it.each<[string, Env, string]>([
    [
      "settings without CACHE_ENABLED",
      { CACHE_REDIS_HOST: "a" },
      "CACHE_ENABLED: it is not set although CACHE_REDIS_HOST",
    ],
    ["a URL and a host", { ...withHost, CACHE_REDIS_URL: url }, "both are set"],
    ["a URL and a port", { ...enabled, CACHE_REDIS_URL: url, CACHE_REDIS_PORT: "1" }, "CACHE_REDIS_PORT: it needs"],
    ["two databases", { ...enabled, CACHE_REDIS_URL: `${url}/1`, CACHE_REDIS_DATABASE: "1" }, "has one as well"],
    [
      "a database of a cluster",
      { ...enabled, CACHE_REDIS_URL: "redis+cluster://a", CACHE_REDIS_DATABASE: "1" },
      "CACHE_REDIS_DATABASE: a cluster has only database 0",
    ],
    ["a URL that is none", { ...enabled, CACHE_REDIS_URL: "http://a" }, "CACHE_REDIS_URL: it must begin with"],
    ["a URL with a bad database", { ...enabled, CACHE_REDIS_URL: `${url}/x` }, "the database is not"],
    ["TLS against the URL", { ...enabled, CACHE_REDIS_URL: "rediss://a", CACHE_REDIS_TLS: "false" }, "asks for TLS"],
    ["a certificate without TLS", { ...withHost, CACHE_REDIS_TLS_CA: "/ca" }, "CACHE_REDIS_TLS_CA: it needs"],
    [
      "a certificate that cannot be read",
      { ...withHost, CACHE_REDIS_TLS: "1", CACHE_REDIS_TLS_CA: "/no/such/file" },
      "CACHE_REDIS_TLS_CA: the file that it names cannot be read (ENOENT)",
    ],
    ["a host that is a URL", { ...enabled, CACHE_REDIS_HOST: url }, "CACHE_REDIS_HOST: it must be just a name"],
    ["a host with a port", { ...enabled, CACHE_REDIS_HOST: "a:6379" }, "CACHE_REDIS_HOST: it must be just a name"],
    ["a server for the embedded store", { ...withHost, CACHE_TYPE: "memory" }, "CACHE_REDIS_HOST: it has no meaning"],
  ])("refuses %s", (_, env, fault) => {
    expect(faultsOf(env)).toEqual([expect.stringContaining(fault)]);
  });

  it("never repeats what a variable holds: not in the message, a cause, or anything else of the error", () => {
    const secret = "hunter2hunter2";
    const names = ["URL", "HOST", "PORT", "USERNAME", "PASSWORD", "DATABASE", "TLS", "TLS_CA", "TLS_KEY"];
    const value = fc.constantFrom(secret, `redis://u:${secret}@h:x/1`, `redis://${secret}@h@`, `-----BEGIN ${secret}`);
    const variables = fc.dictionary(fc.constantFrom(...names.map((name) => `CACHE_REDIS_${name}`)), value);
    fc.assert(
      fc.property(variables, fc.constantFrom("true", secret), fc.constantFrom("redis", secret), (env, on, type) => {
        let shown = "";
        try {
          const config = loadConfig({ ...env, CACHE_ENABLED: on, CACHE_TYPE: type });
          // A host or user name is no secret; what is one is concealed.
          shown = config?.type === "redis" ? inspect({ ...config.redis, host: "", username: "", password: "" }) : "";
        } catch (error) {
          shown = inspect(error, { depth: 10, showHidden: true }) + JSON.stringify(error);
        }
        expect(shown).not.toContain(secret);
      }),
    );
  });

  it("is documented: every variable, and no other", () => {
    const text = readFileSync(new URL("../../../docs/configuration.md", import.meta.url), "utf8");
    const rows = text.split("\n").filter((line) => line.startsWith("| `CACHE_"));
    const documented = rows.flatMap((row) => (row.split("|")[1] ?? "").match(/CACHE_\w+/g) ?? []);
    expect(documented.sort()).toEqual(["CACHE_ENABLED", ...VARIABLE_NAMES].sort());
  });

  it("conceals passwords and keys from console.log and JSON", () => {
    const key = temporaryFile("s3cret key");
    const config = loadConfig({
      ...enabled,
      CACHE_REDIS_URL: "redis+sentinel://app:s3cret@a/main?sentinelUsername=s&sentinelPassword=s3cret-too",
      CACHE_REDIS_TLS: "true",
      CACHE_REDIS_TLS_KEY: key,
    });
    for (const shown of [inspect(config, { depth: 10, showHidden: true }), JSON.stringify(config)]) {
      expect(shown).not.toContain("s3cret");
      expect(shown).toContain("app");
    }
    expect(config).toMatchObject({
      redis: { password: "s3cret", sentinel: { password: "s3cret-too" }, tls: { key: "s3cret key" } },
    });
  });
});
