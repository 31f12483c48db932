export { type ConformanceBackend, type ConformanceRunner, cacheConformance } from "./conformance/index.ts";
export { ManualClock } from "./manual-clock.ts";
