import { Cluster, Redis } from "ioredis";
import type { Clock } from "../../runtime/clock.ts";
import { ConnectionError } from "../errors.ts";
import type { Address, Place } from "./address.ts";
import { isCluster, type NodeClient, type RedisClient } from "./client.ts";
import { GOODBYE_MS } from "./connection.ts";
import { CLIENT_NAME } from "./greeting.ts";

export interface OwnClientOptions {
  readonly clock: Clock;
  readonly connectTimeoutMs: number;
  /** Of an operation. */
  readonly operationTimeoutMs: number;
  /** Whether a client that lost its connection makes another one. */
  readonly reconnects: { readonly enabled: boolean };
}

export type SentinelPlace = Extract<Place, { kind: "sentinel" }>;

/** Makes a client for an address, not yet connected. */
export function createClient({ at, username, password, tls }: Address, options: OwnClientOptions): RedisClient {
  const retry = retryDelays(options);
  const connection = {
    ...onlyOurs(options),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
    // RESP3 has nothing for us, and costs a round trip with a server that does not know it.
    protocol: 2,
  } as const;
  switch (at.kind) {
    case "cluster":
      return new Cluster([...at.nodes], {
        lazyConnect: true,
        clusterRetryStrategy: retry,
        slotsRefreshTimeout: options.connectTimeoutMs,
        // A node that was sent commands and answers none is dead. A little more than the limit of
        // an operation, so that the operation's own error comes first.
        redisOptions: { ...connection, connectionName: CLIENT_NAME, socketTimeout: options.operationTimeoutMs + 100 },
      }) as unknown as RedisClient;
    case "sentinel":
      return new Redis({
        ...connection,
        sentinels: [...at.hosts],
        name: at.name,
        ...(at.username === undefined ? {} : { sentinelUsername: at.username }),
        ...(at.password === undefined ? {} : { sentinelPassword: at.password }),
        ...(tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: tls }),
        sentinelRetryStrategy: retry,
        retryStrategy: retry,
      }) as unknown as RedisClient;
    case "socket":
      return new Redis({ ...connection, path: at.path, retryStrategy: retry }) as unknown as RedisClient;
    case "host":
      return new Redis({ ...connection, host: at.host, port: at.port, retryStrategy: retry }) as unknown as RedisClient;
  }
}

/** Makes another client for the same store, not yet connected; of a cluster, for one of its nodes. */
export function duplicateClient(client: RedisClient, options: OwnClientOptions): NodeClient {
  const retry = retryDelays(options);
  if (!isCluster(client)) {
    return (client as NodeClient).duplicate({
      ...onlyOurs(options),
      connectionName: CLIENT_NAME,
      retryStrategy: retry,
      sentinelRetryStrategy: retry,
    });
  }
  const nodes = client.nodes("all");
  const node = nodes[Math.floor(options.clock.random() * nodes.length)];
  if (node === undefined) throw new ConnectionError("the cluster has no node that could be reached");
  // A node may be gone for good; then another one is asked for.
  const fewRetries = (failures: number): number | null => (failures > NODE_RETRIES ? null : retry(failures));
  return node.duplicate({ ...onlyOurs(options), connectionName: CLIENT_NAME, retryStrategy: fewRetries });
}

/** Makes a client of the Sentinels: each time of the next one, so that one that is gone does no harm. */
export function createSentinelClient(
  at: SentinelPlace,
  tls: Address["tls"],
  turn: number,
  options: OwnClientOptions,
): NodeClient {
  const { hosts, username, password } = at;
  const retry = retryDelays(options);
  return new Redis({
    ...onlyOurs(options),
    ...hosts[turn % hosts.length],
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
    connectionName: CLIENT_NAME,
    protocol: 2,
    retryStrategy: (failures) => (failures > NODE_RETRIES ? null : retry(failures)),
  }) as unknown as NodeClient;
}

const NODE_RETRIES = 2;

/** What every client of our own needs to behave as `Connection` and `Link` expect. */
function onlyOurs({ connectTimeoutMs }: OwnClientOptions): object {
  return {
    lazyConnect: true,
    connectTimeout: connectTimeoutMs,
    disconnectTimeout: GOODBYE_MS,
    // The greeting finds out whether the server is of use, and says so at once.
    enableReadyCheck: false,
    disableClientInfo: true,
    // Nothing happens behind our back when a connection breaks.
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  };
}

/** 50 ms, doubled with every failure up to 2 s; with some jitter, so that a fleet does not come back at once. */
function retryDelays({ reconnects, clock }: OwnClientOptions): (failures: number) => number | null {
  return (failures) => {
    if (!reconnects.enabled) return null;
    const delayMs = Math.min(50 * 2 ** (failures - 1), 2_000);
    return Math.round(delayMs * (0.75 + clock.random() / 2));
  };
}
