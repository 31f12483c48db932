import type { EventEmitter } from "eventemitter3";
import type { Cache } from "../cache/contract.ts";
import type { EvictionReason } from "./pool.ts";

/** An event that nobody listens to is never an error. */
export interface ManagerEvents {
  /** A connection was opened. */
  opened: [event: { readonly address: string }];
  /** A connection could not be opened. Whoever waited for it was told; the next one tries again. */
  openFailed: [event: { readonly address: string; readonly error: unknown }];
  /** A connection that nobody used was closed. */
  evicted: [event: { readonly address: string; readonly reason: EvictionReason }];
}

/** What `Manager.stats` tells; plain data. */
export interface ManagerStats {
  readonly state: "open" | "closed";
  /** Tenants that have a handle. */
  readonly tenants: number;
  /** Connections that are open. */
  readonly connections: number;
  /** Those of them that nobody uses right now. */
  readonly idle: number;
  /** Connections that are being opened. */
  readonly opening: number;
  /** How many connections were opened, were evicted, and could not be opened, since the manager was made. */
  readonly opened: number;
  readonly evicted: number;
  readonly failed: number;
}

/** A manager, as those see it who only look at it. */
export type ObservableManager = Pick<EventEmitter<ManagerEvents>, "on"> & { stats(): ManagerStats };

/** What measures a manager. */
export interface ManagerTelemetry {
  instrument(cache: Cache): Cache;
  observeManager(manager: ObservableManager): void;
}
