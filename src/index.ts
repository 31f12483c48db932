export type {
  Cache,
  CacheSource,
  CacheStats,
  CompareAndSetOptions,
  GetOrSetResult,
  Unwatch,
} from "./cache/contract.ts";
export {
  CasFailedError,
  ClosedError,
  CodecError,
  ConfigError,
  ConnectionError,
  HoldfastError,
  InvalidTtlError,
  NotFoundError,
  OperationError,
} from "./cache/errors.ts";
export {
  type CacheConfig,
  loadConfig,
  type ManagerLimits,
  type MemoryCacheConfig,
  type RedisCacheConfig,
} from "./config/load-config.ts";
export { type ConnectOptions, type ConnectTarget, connect } from "./connect.ts";
export {
  Coordinator,
  type CoordinatorElectionOptions,
  type CoordinatorEvents,
  type CoordinatorIdempotentOptions,
  type CoordinatorLockOptions,
  type CoordinatorObserver,
  type CoordinatorOptions,
  type CoordinatorTelemetry,
} from "./coordinator.ts";
export type { IdempotentContext, IdempotentHandler } from "./primitives/idempotency/context.ts";
export type { Delivered } from "./primitives/idempotency/delivery.ts";
export {
  IdempotencyInProgressError,
  IdempotencyLostError,
  IdempotencyMismatchError,
  IdempotencyResultError,
} from "./primitives/idempotency/errors.ts";
export type {
  IdempotencyEvent,
  IdempotencyObserver,
  IdempotencyOutcome,
} from "./primitives/idempotency/events.ts";
export { type DeliveryOptions, type Idempotent, idempotent } from "./primitives/idempotency/idempotent.ts";
export type { MemoOptions } from "./primitives/idempotency/memo.ts";
export type { ErrorPolicy, IdempotentOptions } from "./primitives/idempotency/options.ts";
export {
  type CampaignOptions,
  Election,
  type ElectionEvents,
  election,
  type ObserveOptions,
  type RunOptions,
} from "./primitives/leader/election.ts";
export { CampaignTimeoutError, ElectionBusyError, LeadershipLostError } from "./primitives/leader/errors.ts";
export type { LeaderInfo } from "./primitives/leader/leader-info.ts";
export type { ElectionOptions } from "./primitives/leader/options.ts";
export type { Term } from "./primitives/leader/term.ts";
export type { LeaseEvent, LeaseObserver } from "./primitives/lease/events.ts";
export type { LossReason } from "./primitives/lease/lease.ts";
export { acquireLock, tryAcquireLock } from "./primitives/lock/acquire-lock.ts";
export { LockLostError, LockReentryError, LockTimeoutError } from "./primitives/lock/errors.ts";
export { type FenceGate, type FenceGateOptions, fenceGate, StaleFenceError } from "./primitives/lock/fence-gate.ts";
export { inspectLock, type LockInfo } from "./primitives/lock/inspect-lock.ts";
export type { Lock } from "./primitives/lock/lock.ts";
export type { LockSet } from "./primitives/lock/lock-set.ts";
export type { LockOptions } from "./primitives/lock/options.ts";
export { withLock } from "./primitives/lock/with-lock.ts";
export type { Clock } from "./runtime/clock.ts";
export { resignOnShutdown, type ShutdownOptions } from "./shutdown.ts";
