import {
  type Counter,
  createNoopMeter,
  type Histogram,
  type Meter,
  type MeterProvider,
  metrics,
} from "@opentelemetry/api";
import type { ObservableManager } from "../manager/observable.ts";

/** What this process is, rather than does: read when metrics are collected. */
export const observed: { readonly terms: Set<string>; readonly managers: Set<ObservableManager> } = {
  /** Elections that this process has won and leads, by name and term. */
  terms: new Set(),
  managers: new Set(),
};

const SECONDS = "s";
/** As the semantic conventions for databases want them. */
const OPERATION_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];
const TENURE_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300];

/** The metrics; docs/telemetry.md has them as a table. */
export class Instruments {
  readonly operationDuration: Histogram;
  readonly lockWait: Histogram;
  readonly lockHold: Histogram;
  readonly lockAcquisitions: Counter;
  readonly leaseRenewals: Counter;
  readonly leasesLost: Counter;
  readonly leasesStalled: Counter;
  readonly releaseFailures: Counter;
  readonly idempotencyRequests: Counter;
  readonly idempotencyDuration: Histogram;
  readonly managerOpenings: Counter;
  readonly managerEvictions: Counter;

  constructor(meter: Meter) {
    const histogram = (name: string, description: string, explicitBucketBoundaries: number[]): Histogram =>
      meter.createHistogram(name, { description, unit: SECONDS, advice: { explicitBucketBoundaries } });
    const counter = (name: string, description: string): Counter => meter.createCounter(name, { description });

    this.operationDuration = histogram(
      "db.client.operation.duration",
      "Duration of store operations.",
      OPERATION_BUCKETS,
    );
    this.lockWait = histogram("holdfast.lock.wait.duration", "How long locks were waited for.", TENURE_BUCKETS);
    this.lockHold = histogram("holdfast.lock.hold.duration", "How long locks were held.", TENURE_BUCKETS);
    this.lockAcquisitions = counter("holdfast.lock.acquisitions", "Attempts to take a lock that have ended.");
    this.leaseRenewals = counter("holdfast.lease.renewals", "Renewals that were answered or have failed.");
    this.leasesLost = counter("holdfast.lease.lost", "Leases that ended before they were given back.");
    this.leasesStalled = counter("holdfast.lease.stalls", "Leases whose timer a blocked event loop ran much too late.");
    this.releaseFailures = counter("holdfast.lease.release.failures", "Leases that could not be given back.");
    this.idempotencyRequests = counter("holdfast.idempotency.requests", "Calls of guarded handlers that have settled.");
    this.idempotencyDuration = histogram(
      "holdfast.idempotency.duration",
      "Duration of calls of guarded handlers, without the handler itself.",
      OPERATION_BUCKETS,
    );
    this.managerOpenings = counter("holdfast.manager.openings", "Connections that were opened, or could not be.");
    this.managerEvictions = counter(
      "holdfast.manager.evictions",
      "Connections that were closed since nobody used them.",
    );
    observeLeadership(meter);
    observeConnections(meter);
  }
}

function observeLeadership(meter: Meter): void {
  meter
    .createObservableUpDownCounter("holdfast.leader.state", { description: "Elections that this process leads." })
    .addCallback((result) => result.observe(observed.terms.size));
}

function observeConnections(meter: Meter): void {
  const connections = meter.createObservableUpDownCounter("holdfast.manager.connections", {
    description: "Open connections of managers.",
  });
  connections.addCallback((result) => {
    let [used, idle] = [0, 0];
    for (const manager of observed.managers) {
      const stats = manager.stats();
      if (stats.state === "closed") observed.managers.delete(manager);
      idle += stats.idle;
      used += stats.connections - stats.idle;
    }
    result.observe(used, { state: "used" });
    result.observe(idle, { state: "idle" });
  });
}

let provider: MeterProvider | undefined;
let instruments: Instruments | undefined;

/**
 * The instruments, or `undefined` while there is no SDK. They are made when the
 * first one is needed after the SDK was started, since the metrics API, unlike
 * that of traces, gives out meters that stay without effect before.
 */
export function currentInstruments(): Instruments | undefined {
  const current = metrics.getMeterProvider();
  if (current !== provider) {
    provider = current;
    const meter = current.getMeter("holdfast");
    instruments = meter === createNoopMeter() ? undefined : new Instruments(meter);
  }
  return instruments;
}
