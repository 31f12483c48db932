import { systemClock } from "../../runtime/system-clock.ts";
import { checkKeyPrefix, DEFAULT_MAX_VALUE_BYTES } from "../checks.ts";
import { checkOptions } from "../choices.ts";
import type { Cache } from "../contract.ts";
import { checkDuration } from "../durations.ts";
import { checkMaxValueBytes, OperationGuard } from "../guard.ts";
import { resolveAddress } from "./address.ts";
import { isCluster, isRedisClient, type NodeClient, type RedisClient } from "./client.ts";
import { Connection } from "./connection.ts";
import { FailoverWatch } from "./failover.ts";
import { greet } from "./greeting.ts";
import type { RedisCacheOptions, RedisConfig } from "./options.ts";
import { createClient, createSentinelClient, duplicateClient, type OwnClientOptions } from "./own-client.ts";
import { RedisCache } from "./redis-cache.ts";
import { RedisStore } from "./store.ts";
import { Subscriber, type SubscriberOptions } from "./subscriber.ts";

/**
 * Connects to Redis, Valkey, or what speaks their protocol.
 *
 * @param target a URL (`redis://`, `rediss://`, `redis+unix://`,
 *   `redis+sentinel://`, `redis+cluster://`), a {@link RedisConfig}, or a client
 *   of ioredis 5.4 or later, which stays the caller's: it is used, never closed
 *
 * @throws ConfigError when the target or an option is wrong
 * @throws ConnectionError when the store cannot be reached, refuses us, or is
 *   not one that takes writes; it says which
 */
export async function openRedisCache(
  target: string | RedisConfig | RedisClient,
  options: RedisCacheOptions = {},
): Promise<Cache> {
  checkOptions(options, "openRedisCache");
  const { keyPrefix = "" } = options;
  checkKeyPrefix(keyPrefix, "keyPrefix");
  const store = await openRedisStore(target, options);
  return store.cache(keyPrefix, () => store.close());
}

/** A connection to a store, on which any number of caches live side by side. */
export interface SharedStore {
  /**
   * The keys with this prefix. Its `close` leaves the connection and the other caches alone.
   *
   * @param onClosed what else its `close` does
   * @throws ConfigError when the prefix is not usable
   */
  cache(keyPrefix: string, onClosed?: () => Promise<void>): Cache;
  /** Lets what is under way finish, then disconnects. */
  close(): Promise<void>;
}

/** Connects as {@link openRedisCache} does, for several caches. */
export async function openRedisStore(
  target: string | RedisConfig | RedisClient,
  options: Omit<RedisCacheOptions, "keyPrefix"> = {},
): Promise<SharedStore> {
  const { maxValueBytes = DEFAULT_MAX_VALUE_BYTES, operationTimeoutMs = 2_000, connectTimeoutMs = 5_000 } = options;
  const { clock = systemClock } = options;
  checkMaxValueBytes(maxValueBytes);
  checkDuration(operationTimeoutMs, "operationTimeoutMs", 1);
  checkDuration(connectTimeoutMs, "connectTimeoutMs", 1);
  const limits = { clock, operationTimeoutMs, connectTimeoutMs };

  const place = isRedisClient(target) ? lentClient(target) : ownClient(target, limits);
  const { client, address, database, usesTls } = place;
  const isOwn = place.reconnects !== undefined;
  const connection = new Connection(client, {
    ...limits,
    address,
    usesTls,
    reconnects: place.reconnects,
    greet: (link, deadlineMs) => greet(link, { deadlineMs, database: isOwn ? database : 0, isOwn }),
  });
  await connection.open();
  const subscriber = new Subscriber({
    ...limits,
    address,
    usesTls,
    makeClient: (reconnects) => duplicateClient(client, { ...limits, reconnects }),
  });
  const store = new RedisStore({ clock, connection, subscriber, database, mayMove: place.mayMove });
  const failovers = place.watchFailovers?.(() => connection.abandon(new Error("another server has become the master")));
  return {
    cache: (keyPrefix, release = async () => {}) => {
      checkKeyPrefix(keyPrefix, "keyPrefix");
      const guard = new OperationGuard(maxValueBytes);
      return new RedisCache(store, { guard, keyPrefix: place.clientPrefix + keyPrefix, release });
    },
    close: async () => {
      await failovers?.close();
      await store.close();
    },
  };
}

interface Place {
  readonly client: RedisClient;
  /** How messages name it. */
  readonly address: string;
  /** The database in which the keys are. */
  readonly database: number;
  readonly usesTls: boolean;
  /** What the client puts before every key. */
  readonly clientPrefix: string;
  /** `undefined`: the client is the caller's. */
  readonly reconnects: { enabled: boolean } | undefined;
  /** Whether another connection may lead to another server. */
  readonly mayMove: boolean;
  readonly watchFailovers?: (onFailover: () => void) => FailoverWatch;
}

function ownClient(target: string | RedisConfig, limits: Omit<OwnClientOptions, "reconnects">): Place {
  const address = resolveAddress(target);
  const { at, database, label, tls } = address;
  const reconnects = { enabled: false };
  const usesTls = tls !== undefined;
  const place = {
    client: createClient(address, { ...limits, reconnects }),
    address: label,
    database,
    usesTls,
    clientPrefix: "",
    reconnects,
    mayMove: at.kind === "sentinel",
  };
  if (at.kind !== "sentinel") return place;
  const watchFailovers = (onFailover: () => void): FailoverWatch => {
    let turn = 0;
    const makeClient: SubscriberOptions["makeClient"] = (allowed) =>
      createSentinelClient(at, tls, turn++, { ...limits, reconnects: allowed });
    return new FailoverWatch({ ...limits, address: label, usesTls, name: at.name, makeClient, onFailover });
  };
  return { ...place, watchFailovers };
}

function lentClient(client: RedisClient): Place {
  const { keyPrefix, tls } = client.options;
  return {
    client,
    address: labelOf(client),
    database: isCluster(client) ? 0 : databaseOf(client as NodeClient),
    usesTls: tls !== undefined,
    clientPrefix: keyPrefix ?? "",
    reconnects: undefined,
    mayMove: Boolean(client.options.sentinels),
  };
}

function labelOf(client: RedisClient): string {
  const { sentinels, name, path, host, port } = client.options;
  if (isCluster(client)) return "the cluster of the client";
  if (sentinels) return `${name} (found by Sentinels)`;
  return path ?? `${host}:${port}`;
}

function databaseOf({ condition, options }: NodeClient): number {
  return condition?.select ?? options.db ?? 0;
}
