export { type ConformanceBackend, type ConformanceRunner, cacheConformance } from "./conformance/index.ts";
export type { CacheCall, CallFilter, Fault, FaultSchedule, Injection } from "./faults.ts";
export { FaultyCache, type FaultyCacheOptions } from "./faulty-cache.ts";
export { ManualClock } from "./manual-clock.ts";
