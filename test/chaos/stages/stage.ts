import type { RedisServer } from "../../support/redis-server.ts";

/** Servers that make up one store, and what can be done to them. */
export interface Stage {
  readonly url: string;
  /** Whatever a client may connect to. */
  readonly servers: readonly RedisServer[];
  /** Those that hold data. */
  readonly nodes: readonly RedisServer[];
  /** Those that take writes now. */
  primaries(): Promise<RedisServer[]>;
  /** Resolves when the store is whole again: every part of it runs, and knows its place. */
  settled(): Promise<void>;
  /** Has another server take over in good order, where that can be ordered. */
  failover?(): Promise<void>;
  stop(): Promise<void>;
}

/** What a server does with its data: it is on disk before a write is acknowledged. */
export const DURABLE: Readonly<Record<string, string>> = { appendonly: "yes", appendfsync: "always" };
