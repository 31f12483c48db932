import { readFileSync } from "node:fs";
import type { ConnectionOptions as TlsOptions } from "node:tls";
import { ConfigError } from "../cache/errors.ts";
import { resolveAddress } from "../cache/redis/address.ts";
import { parseConnectionUrl } from "../cache/redis/connection-url.ts";
import type { RedisConfig } from "../cache/redis/options.ts";
import { conceal } from "./conceal.ts";
import {
  type Environment,
  namesSet,
  readEnabled,
  readVariables,
  type VariableName,
  type Variables,
} from "./variables.ts";

/** The cache that the environment asks for. Can be given to `connect`, and its parts to `createManager`. */
export type CacheConfig = MemoryCacheConfig | RedisCacheConfig;

export interface MemoryCacheConfig {
  readonly type: "memory";
  readonly manager: ManagerLimits;
}

export interface RedisCacheConfig {
  readonly type: "redis";
  /** How to reach the server. Passwords and keys are in it, but not shown by `console.log` and `JSON.stringify`. */
  readonly redis: RedisConfig;
  readonly manager: ManagerLimits;
}

export interface ManagerLimits {
  readonly maxConnections: number;
  readonly idleTtlMs: number;
}

/**
 * Reads the configuration from environment variables; docs/configuration.md has the list.
 *
 * @returns `undefined` when the cache is disabled: `CACHE_ENABLED` is false, or nothing is said about a cache
 * @throws ConfigError that names every fault at once by its variable. It never repeats what a variable holds
 */
export function loadConfig(env: Environment = process.env): CacheConfig | undefined {
  const faults: string[] = [];
  const config = readConfig(env, faults);
  if (faults.length === 0) return config;
  throw new ConfigError(
    `the environment does not configure a cache:\n${faults.map((fault) => `- ${fault}`).join("\n")}`,
  );
}

function readConfig(env: Environment, faults: string[]): CacheConfig | undefined {
  const enabled = readEnabled(env, faults);
  if (enabled === false) return undefined;
  const names = namesSet(env);
  if (enabled === undefined && faults.length === 0) {
    if (names.length === 0) return undefined;
    faults.push(`CACHE_ENABLED: it is not set although ${names.join(", ")} is; say true or false`);
  }
  const variables = readVariables(env, faults);
  const manager = {
    maxConnections: variables.CACHE_MANAGER_MAXCONNECTIONS ?? 100,
    idleTtlMs: variables.CACHE_MANAGER_IDLETTL ?? 900_000,
  };
  if (variables.CACHE_TYPE !== "memory") return { type: "redis", redis: readRedis(variables, names, faults), manager };
  for (const name of names) {
    if (name.startsWith("CACHE_REDIS_")) faults.push(`${name}: it has no meaning with CACHE_TYPE "memory"`);
  }
  return { type: "memory", manager };
}

function readRedis(variables: Variables, names: readonly VariableName[], faults: string[]): RedisConfig {
  const isSet = (name: VariableName): boolean => names.includes(name);
  if (isSet("CACHE_REDIS_URL") === isSet("CACHE_REDIS_HOST")) {
    const problem = isSet("CACHE_REDIS_URL") ? "both are set" : "neither is set, and there is no default";
    faults.push(`CACHE_REDIS_URL, CACHE_REDIS_HOST: ${problem}; set one of them`);
  }
  if (isSet("CACHE_REDIS_PORT") && !isSet("CACHE_REDIS_HOST"))
    faults.push("CACHE_REDIS_PORT: it needs CACHE_REDIS_HOST");
  const fromUrl = readUrl(variables.CACHE_REDIS_URL, faults);
  const fromVariables: RedisConfig = definedOnly({
    host: variables.CACHE_REDIS_HOST,
    port: variables.CACHE_REDIS_PORT,
    username: variables.CACHE_REDIS_USERNAME,
    password: variables.CACHE_REDIS_PASSWORD,
    database: variables.CACHE_REDIS_DATABASE,
    tls: readTls(variables, names, fromUrl.tls === true, faults),
  });
  for (const part of ["username", "password", "database"] as const) {
    if (part in fromUrl && part in fromVariables) {
      faults.push(`CACHE_REDIS_${part.toUpperCase()}: CACHE_REDIS_URL has one as well; keep one of them`);
    }
  }
  const redis: RedisConfig = { ...fromUrl, ...fromVariables };
  if (redis.username !== undefined && redis.password === undefined && !isSet("CACHE_REDIS_PASSWORD")) {
    faults.push("CACHE_REDIS_PASSWORD: it is not set although there is a user name");
  }
  if (fromUrl.cluster !== undefined && (fromVariables.database ?? 0) > 0) {
    faults.push("CACHE_REDIS_DATABASE: a cluster has only database 0");
  }
  if (redis.sentinel !== undefined) conceal(redis.sentinel, "password");
  return conceal(redis, "password");
}

function readUrl(url: string | undefined, faults: string[]): RedisConfig {
  if (url === undefined) return {};
  const inUrl: string[] = [];
  const config = parseConnectionUrl(url, inUrl);
  try {
    // A user name alone is completed by CACHE_REDIS_PASSWORD.
    if (inUrl.length === 0) resolveAddress({ ...config, ...(config.username === undefined ? {} : { password: "-" }) });
  } catch (error) {
    inUrl.push((error as ConfigError).message);
  }
  faults.push(...inUrl.map((fault) => `CACHE_REDIS_URL: ${fault}`));
  return inUrl.length === 0 ? config : {};
}

const TLS_FILES = { ca: "CACHE_REDIS_TLS_CA", cert: "CACHE_REDIS_TLS_CERT", key: "CACHE_REDIS_TLS_KEY" } as const;

function readTls(
  variables: Variables,
  names: readonly VariableName[],
  urlSaysTls: boolean,
  faults: string[],
): boolean | TlsOptions | undefined {
  const wanted = variables.CACHE_REDIS_TLS ?? urlSaysTls;
  if (urlSaysTls && !wanted) faults.push("CACHE_REDIS_TLS: it is false, but CACHE_REDIS_URL asks for TLS");
  const details = names.filter((name) => name.startsWith("CACHE_REDIS_TLS_"));
  if (!wanted) {
    if (!names.includes("CACHE_REDIS_TLS"))
      faults.push(...details.map((name) => `${name}: it needs CACHE_REDIS_TLS=true`));
    return undefined;
  }
  if (details.length === 0) return true;
  const files = Object.entries(TLS_FILES).map(([option, name]) => [option, readPem(name, variables[name], faults)]);
  const options: TlsOptions = { ...Object.fromEntries(files), servername: variables.CACHE_REDIS_TLS_SERVERNAME };
  return conceal(definedOnly(options), "key");
}

function readPem(name: VariableName, path: string | undefined, faults: string[]): string | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    // Not the error itself: somebody may have put the key where its path belongs.
    faults.push(`${name}: the file that it names cannot be read (${(error as NodeJS.ErrnoException).code})`);
    return undefined;
  }
}

function definedOnly<T extends object>(object: T): Defined<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Defined<T>;
}

type Defined<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> };
