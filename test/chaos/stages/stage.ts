import type { RedisServer } from "../../support/redis-server.ts";
import type { Nemesis } from "../nemeses/nemesis.ts";

/** Servers that make up one store, and what can be done to them. */
export interface Stage {
  readonly url: string;
  /** Whatever a client may connect to. */
  readonly servers: readonly RedisServer[];
  /** Those that hold data. */
  readonly nodes: readonly RedisServer[];
  /** What can befall this kind of store and no other. */
  readonly nemeses: readonly Nemesis[];
  /** Those that take writes now. */
  primaries(): Promise<RedisServer[]>;
  /** Resolves when the store is whole again: every part of it runs, and knows its place. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/** What a server does with its data: it is on disk before a write is acknowledged. */
export const DURABLE: Readonly<Record<string, string>> = { appendonly: "yes", appendfsync: "always" };
