/** `holdfast/telemetry`: metrics and spans by OpenTelemetry. Needs `@opentelemetry/api`. */

import type { Cache } from "../cache/contract.ts";
import type { ObservableManager } from "../manager/observable.ts";
import type { IdempotencyEvent } from "../primitives/idempotency/events.ts";
import type { LeaseEvent } from "../primitives/lease/events.ts";
import { InstrumentedCache } from "./instrumented-cache.ts";
import { currentInstruments, observed } from "./instruments.ts";
import { observe } from "./observer.ts";

/** Metrics and spans of this process; made by {@link telemetry}. */
export interface Telemetry {
  /** The same cache, with its operations measured. */
  instrument(cache: Cache): Cache;
  /** For the `observer` option of the primitives: measures waits, holds, renewals, guarded runs and terms. */
  readonly observer: (event: LeaseEvent | IdempotencyEvent) => void;
  /** Measures the connections of a manager, until that is closed. */
  observeManager(manager: ObservableManager): void;
}

/**
 * Metrics and spans for `connect` and `createManager`, through whatever SDK this
 * process has started, or will start. As long as there is none, nothing is
 * measured.
 *
 * ```ts
 * const hold = await connect("redis://localhost:6379", { telemetry: telemetry() });
 * ```
 */
export function telemetry(): Telemetry {
  return everything;
}

/** The same cache, with its operations measured. For caches that are not opened by `connect` or a manager. */
export function instrument(cache: Cache): Cache {
  return new InstrumentedCache(cache);
}

const everything: Telemetry = { instrument, observer: observe, observeManager };

function observeManager(manager: ObservableManager): void {
  observed.managers.add(manager);
  manager.on("opened", () => currentInstruments()?.managerOpenings.add(1, { outcome: "opened" }));
  manager.on("openFailed", () => currentInstruments()?.managerOpenings.add(1, { outcome: "failed" }));
  manager.on("evicted", ({ reason }) => currentInstruments()?.managerEvictions.add(1, { reason }));
}
