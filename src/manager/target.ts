import { describe } from "../cache/checks.ts";
import { ConfigError, ConnectionError } from "../cache/errors.ts";
import { type Address, type Endpoint, type Place, resolveAddress } from "../cache/redis/address.ts";
import type { RedisConfig } from "../cache/redis/options.ts";
import { fingerprint } from "./fingerprint.ts";

/** Where a tenant's data is; what a manager's `resolve` gives. */
export type TenantConfig = TenantStore & {
  /**
   * Stands before every key of the tenant, as it is. No other tenant on the same server and database may have
   * the same, or one of which this is the beginning. Default: derived from the tenant's id.
   */
  readonly keyPrefix?: string | undefined;
};

type TenantStore =
  /** As for `connect`: `redis://…`, `rediss://…`, `redis+sentinel://…`, `redis+cluster://…`, `redis+unix://…`, `memory:`, `memory:NAME`. */
  | { readonly url: string; readonly redis?: undefined }
  /** The same as an object, such as `loadConfig` gives. */
  | { readonly redis: RedisConfig; readonly url?: undefined };

/** A store as the manager tells it from others. */
export interface Target {
  /** Tenants with the same share a connection: the same store, reached in the same way with the same credentials. */
  readonly id: string;
  /** How messages name it; no credentials. */
  readonly label: string;
  /** See `Territory`. */
  readonly endpoints: readonly string[];
  readonly store: { readonly memory: string } | { readonly redis: string | RedisConfig };
}

/** @throws ConfigError, which repeats nothing that could be a secret */
export function targetOf(config: TenantConfig, tenantId: string): Target {
  const store: unknown = config?.url ?? config?.redis;
  if ((typeof store !== "string" && (typeof store !== "object" || store === null)) || (config.url && config.redis)) {
    throw new ConfigError(
      `resolve(${describe(tenantId)}) must give either { url } or { redis }, and may add keyPrefix`,
    );
  }
  if (typeof store === "string" && store.startsWith("memory:")) {
    return { id: store, label: store, endpoints: [store], store: { memory: store.slice("memory:".length) } };
  }
  const redis = store as string | RedisConfig;
  const address = addressOf(redis, tenantId);
  return { id: fingerprint(address), label: address.label, endpoints: endpointsOf(address), store: { redis } };
}

function addressOf(redis: string | RedisConfig, tenantId: string): Address {
  try {
    return resolveAddress(redis);
  } catch (error) {
    throw ofTenant(tenantId, error);
  }
}

/** The same error, with the tenant in it. An address and a connection do not know whose they are. */
export function ofTenant(tenantId: string, error: unknown): unknown {
  const said = (cause: Error): string => `tenant ${describe(tenantId)}: ${cause.message}`;
  if (error instanceof ConfigError) return new ConfigError(said(error), { cause: error });
  if (!(error instanceof ConnectionError)) return error;
  return new ConnectionError(said(error), { address: error.address, cause: error });
}

function endpointsOf({ at, database }: Address): string[] {
  return placesOf(at).map((place) => `${place}/${database}`);
}

function placesOf(at: Place): string[] {
  switch (at.kind) {
    case "host":
      return [nodeName(at)];
    case "socket":
      return [at.path];
    case "cluster":
      return at.nodes.map(nodeName);
    case "sentinel":
      return at.hosts.map((host) => `${nodeName(host)}/${at.name}`);
  }
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

/** Names of one host that can be told to be the same without asking anybody are written in one way. */
function nodeName({ host, port }: Endpoint): string {
  const name = host.toLowerCase().replace(/\.$/, "");
  return `${LOOPBACK.test(name) ? "localhost" : name}:${port}`;
}
