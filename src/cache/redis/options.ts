import type { ConnectionOptions as TlsOptions } from "node:tls";
import type { Clock } from "../../runtime/clock.ts";

/** Where a server is. */
export interface RedisNode {
  readonly host: string;
  /** Default 6379, and 26379 for a Sentinel. */
  readonly port?: number | undefined;
}

/** How to reach a store; the same as a connection URL says, and some more. It says where the server is in one way. */
export interface RedisConfig {
  /** A name or an IP address. Default `localhost` if there is a port. */
  readonly host?: string | undefined;
  /** Default 6379. */
  readonly port?: number | undefined;
  /** A Unix socket, instead of host and port. */
  readonly path?: string | undefined;
  /** An ACL user. Default: the server's default user. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Default 0. A cluster has no other. */
  readonly database?: number | undefined;
  /** `true`, or the options of `tls.connect`: `ca`, `cert`, `key`, `servername`… Default: no TLS. */
  readonly tls?: boolean | TlsOptions | undefined;
  /** The master is asked of these Sentinels. */
  readonly sentinel?:
    | {
        readonly hosts: readonly RedisNode[];
        /** The name under which they know the master. */
        readonly name: string;
        /** The Sentinels' own credentials; those above are the servers'. */
        readonly username?: string | undefined;
        readonly password?: string | undefined;
      }
    | undefined;
  /** Some nodes of a Redis Cluster; the others are found. */
  readonly cluster?: { readonly nodes: readonly RedisNode[] } | undefined;
}

export interface RedisCacheOptions {
  /**
   * Stands before every key, as it is: `"shop:"` makes `shop:invoice:42` of
   * `invoice:42`. A `{tag}` in it puts all keys into one slot of a cluster.
   * Default: none.
   */
  readonly keyPrefix?: string | undefined;
  /** How long an operation may take, waiting for a connection included. Default 2,000. */
  readonly operationTimeoutMs?: number | undefined;
  /** How long the first connection may take. Default 5,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** The largest value in bytes. Default 1 MiB. */
  readonly maxValueBytes?: number | undefined;
  /** Default: the process's own clock. */
  readonly clock?: Clock | undefined;
}
