import { DEFAULT_MAX_VALUE_BYTES, describe } from "../cache/checks.ts";
import { checkDuration, checkWait } from "../cache/durations.ts";
import { ConfigError } from "../cache/errors.ts";
import { checkMaxValueBytes } from "../cache/guard.ts";
import type { Clock } from "../runtime/clock.ts";
import { systemClock } from "../runtime/system-clock.ts";
import type { ManagerTelemetry } from "./observable.ts";
import type { TenantConfig } from "./target.ts";

export interface ManagerOptions {
  /**
   * Tells where the data of a tenant is. Called when the tenant's connection is opened, and opened again after
   * an eviction, so credentials may change; server, database and prefix may not.
   */
  readonly resolve: (tenantId: string) => TenantConfig | Promise<TenantConfig>;
  /** How many connections are kept. More are opened while all of them are in use. Default 100. */
  readonly maxConnections?: number;
  /** How long a connection that nobody uses is kept; `Infinity`: for ever. Default 900,000. */
  readonly idleTtlMs?: number;
  /** The longest time that one store operation may take, and may wait for its connection. Default 2,000. */
  readonly operationTimeoutMs?: number;
  /** The longest time that connecting may take. Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** The largest value that a cache takes. Default 1 MiB. */
  readonly maxValueBytes?: number;
  /** What `telemetry()` of `holdfast/telemetry` gives: measures store operations and connections. */
  readonly telemetry?: ManagerTelemetry;
  /** Time, timers and randomness; for tests. */
  readonly clock?: Clock;
}

export type ManagerSettings = Required<Omit<ManagerOptions, "telemetry">> & Pick<ManagerOptions, "telemetry">;

/** Fills in the defaults. Throws `ConfigError` naming the option that is wrong. */
export function managerSettings(options: ManagerOptions): ManagerSettings {
  const { resolve, maxConnections = 100, clock = systemClock } = options;
  if (typeof resolve !== "function") throw new ConfigError(`resolve is ${describe(resolve)}; it must be a function`);
  if (!Number.isSafeInteger(maxConnections) || maxConnections < 1) {
    throw new ConfigError(`maxConnections is ${describe(maxConnections)}; it must be a whole number, at least 1`);
  }
  return {
    resolve,
    maxConnections,
    idleTtlMs: checkWait(options.idleTtlMs ?? 900_000, "idleTtlMs"),
    operationTimeoutMs: checkDuration(options.operationTimeoutMs ?? 2_000, "operationTimeoutMs", 1),
    connectTimeoutMs: checkDuration(options.connectTimeoutMs ?? 5_000, "connectTimeoutMs", 1),
    maxValueBytes: checkMaxValueBytes(options.maxValueBytes ?? DEFAULT_MAX_VALUE_BYTES),
    clock,
    ...(options.telemetry === undefined ? {} : { telemetry: options.telemetry }),
  };
}
