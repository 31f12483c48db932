import { Cluster, Redis } from "ioredis";
import type { Clock } from "../../runtime/clock.ts";
import type { Address } from "./address.ts";
import type { NodeClient, RedisClient } from "./client.ts";
import { GOODBYE_MS } from "./connection.ts";

export interface OwnClientOptions {
  readonly clock: Clock;
  readonly connectTimeoutMs: number;
  readonly operationTimeoutMs: number;
  /** Whether a client that lost its connection makes another one. */
  readonly reconnects: { readonly enabled: boolean };
}

/** Makes a client for an address, not yet connected. */
export function createClient(address: Address, options: OwnClientOptions): RedisClient {
  const { at, username, password, tls } = address;
  const retry = retryDelays(options);
  const connection = {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
    lazyConnect: true,
    connectionName: "holdfast",
    connectTimeout: options.connectTimeoutMs,
    disconnectTimeout: GOODBYE_MS,
    // Commands that were written and not answered: the connection is dead. A little more than
    // the limit of an operation, so that the operation's own error comes first.
    socketTimeout: options.operationTimeoutMs + 100,
    // The greeting finds out whether the server is of use, and says so at once.
    enableReadyCheck: false,
    disableClientInfo: true,
    // RESP3 has nothing for us and costs a round trip with a server that does not know it.
    protocol: 2,
  } as const;
  switch (at.kind) {
    case "cluster":
      return new Cluster([...at.nodes], {
        lazyConnect: true,
        clusterRetryStrategy: retry,
        redisOptions: connection,
      }) as unknown as RedisClient;
    case "sentinel":
      return new Redis({
        ...connection,
        ...NO_SECOND_LIFE,
        retryStrategy: retry,
        sentinelRetryStrategy: retry,
        sentinels: [...at.hosts],
        name: at.name,
        ...(at.username === undefined ? {} : { sentinelUsername: at.username }),
        ...(at.password === undefined ? {} : { sentinelPassword: at.password }),
        ...(tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: tls }),
      }) as unknown as NodeClient;
    default: {
      const place = at.kind === "socket" ? { path: at.path } : { host: at.host, port: at.port };
      return new Redis({
        ...connection,
        ...NO_SECOND_LIFE,
        ...place,
        retryStrategy: retry,
      }) as unknown as NodeClient;
    }
  }
}

/** What was in flight when the connection broke is not sent again. */
const NO_SECOND_LIFE = { autoResendUnfulfilledCommands: false, maxRetriesPerRequest: 0 } as const;

/** 50 ms, doubled with every failure up to 2 s, with some jitter so that a fleet does not come back at once. */
function retryDelays({ reconnects, clock }: OwnClientOptions): (failures: number) => number | null {
  return (failures) => {
    if (!reconnects.enabled) return null;
    const delayMs = Math.min(50 * 2 ** (failures - 1), 2_000);
    return Math.round(delayMs * (0.75 + clock.random() / 2));
  };
}
