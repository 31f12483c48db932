/** `holdfast/manager`: the caches of many tenants. */

export {
  createManager,
  type GetOptions,
  Manager,
} from "./manager.ts";
export type { ManagerEvents, ManagerStats, ManagerTelemetry, ObservableManager } from "./observable.ts";
export type { ManagerOptions } from "./options.ts";
export type { EvictionReason } from "./pool.ts";
export type { TenantConfig } from "./target.ts";
