import { DEFAULT_MAX_VALUE_BYTES, describe } from "../cache/checks.ts";
import { checkFunction, checkOptions } from "../cache/choices.ts";
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
  readonly maxConnections?: number | undefined;
  /** How long a connection that nobody uses is kept; `Infinity`: for ever. Default 900,000. */
  readonly idleTtlMs?: number | undefined;
  /** The longest time that one store operation may take, and may wait for its connection. Default 2,000. */
  readonly operationTimeoutMs?: number | undefined;
  /** The longest time that connecting may take. Default 5,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** The largest value that a cache takes. Default 1 MiB. */
  readonly maxValueBytes?: number | undefined;
  /** What `telemetry()` of `holdfast/telemetry` gives: measures store operations and connections. */
  readonly telemetry?: ManagerTelemetry | undefined;
  /** Time, timers and randomness; for tests. */
  readonly clock?: Clock | undefined;
}

export interface ManagerSettings {
  readonly resolve: ManagerOptions["resolve"];
  readonly maxConnections: number;
  readonly idleTtlMs: number;
  readonly operationTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly maxValueBytes: number;
  readonly telemetry: ManagerTelemetry | undefined;
  readonly clock: Clock;
}

/** Fills in the defaults. Throws `ConfigError` naming the option that is wrong. */
export function managerSettings(options: ManagerOptions): ManagerSettings {
  checkOptions(options, "createManager");
  const {
    resolve,
    maxConnections = 100,
    idleTtlMs = 900_000,
    operationTimeoutMs = 2_000,
    connectTimeoutMs = 5_000,
    maxValueBytes = DEFAULT_MAX_VALUE_BYTES,
    telemetry,
    clock = systemClock,
  } = options;
  checkFunction(resolve, "resolve");
  if (!Number.isSafeInteger(maxConnections) || maxConnections < 1) {
    throw new ConfigError(`maxConnections is ${describe(maxConnections)}; it must be a whole number, at least 1`);
  }
  return {
    resolve,
    maxConnections,
    idleTtlMs: checkWait(idleTtlMs, "idleTtlMs"),
    operationTimeoutMs: checkDuration(operationTimeoutMs, "operationTimeoutMs", 1),
    connectTimeoutMs: checkDuration(connectTimeoutMs, "connectTimeoutMs", 1),
    maxValueBytes: checkMaxValueBytes(maxValueBytes),
    telemetry,
    clock,
  };
}
