import type { IdempotencyEvent, IdempotencyOutcome } from "../primitives/idempotency/events.ts";
import type { LeaseEvent } from "../primitives/lease/events.ts";
import { systemClock } from "../runtime/system-clock.ts";
import { currentInstruments, type Instruments, observed } from "./instruments.ts";
import { currentTracer, recordSpan } from "./spans.ts";

/** Turns what the primitives report into metrics and spans. Names and keys are attributes of spans only. */
export function observe(event: LeaseEvent | IdempotencyEvent): void {
  // Who leads is known all the time, for an SDK that is started in the middle of a term.
  if (event.kind === "leader") followTerm(event);
  const instruments = currentInstruments();
  if (instruments !== undefined) count(event, instruments);
  if (currentTracer() === undefined) return;
  if (event.kind === "lock") traceLock(event);
  else if (event.kind === "leader") traceTerm(event);
  else if (event.kind === "idempotency") traceRun(event);
}

function count(event: LeaseEvent | IdempotencyEvent, instruments: Instruments): void {
  const { kind } = event;
  switch (event.type) {
    case "acquired":
    case "not-acquired":
      if (kind === "lock") countAcquisition(event, instruments);
      break;
    case "released":
      if (kind === "lock") instruments.lockHold.record(event.heldMs / 1_000, { outcome: event.outcome });
      break;
    case "renewed":
      instruments.leaseRenewals.add(1, { kind, outcome: event.outcome });
      break;
    case "lost":
      instruments.leasesLost.add(1, { kind, reason: event.reason });
      break;
    case "stalled":
      instruments.leasesStalled.add(1, { kind });
      break;
    case "release-failed":
      instruments.releaseFailures.add(1, { kind });
      break;
    case "settled": {
      const attributes = { name: event.name, outcome: event.outcome };
      instruments.idempotencyRequests.add(1, attributes);
      instruments.idempotencyDuration.record(event.durationMs / 1_000, attributes);
      break;
    }
    default:
  }
}

type AcquisitionEvent = Extract<LeaseEvent, { type: "acquired" | "not-acquired" }>;

function countAcquisition(event: AcquisitionEvent, { lockAcquisitions, lockWait }: Instruments): void {
  const attributes = { outcome: outcomeOf(event) };
  lockAcquisitions.add(1, attributes);
  lockWait.record(event.waitedMs / 1_000, attributes);
}

function outcomeOf(event: AcquisitionEvent): string {
  return event.type === "acquired" ? "acquired" : event.outcome;
}

function traceLock(event: LeaseEvent): void {
  if (event.type === "acquired" || event.type === "not-acquired") {
    const outcome = outcomeOf(event);
    recordSpan({
      name: "holdfast.lock.wait",
      durationMs: event.waitedMs,
      attributes: {
        "holdfast.lock.name": event.name,
        "holdfast.outcome": outcome,
        ...(event.type === "acquired" ? { "holdfast.fencing_token": event.fencingToken } : {}),
      },
      failure: outcome === "timeout" || outcome === "failed" ? outcome : undefined,
    });
  } else if (event.type === "released") {
    traceTenure("holdfast.lock.hold", "holdfast.lock.name", event);
  }
}

function traceTerm(event: LeaseEvent): void {
  if (event.type === "released") traceTenure("holdfast.leader.term", "holdfast.election.name", event);
}

function traceTenure(name: string, nameAttribute: string, event: Extract<LeaseEvent, { type: "released" }>): void {
  recordSpan({
    name,
    durationMs: event.heldMs,
    attributes: {
      [nameAttribute]: event.name,
      "holdfast.outcome": event.outcome,
      "holdfast.fencing_token": event.fencingToken,
    },
    failure: event.outcome === "lost" ? event.outcome : undefined,
  });
}

function followTerm(event: LeaseEvent): void {
  if (event.type === "acquired") observed.terms.add(termOf(event));
  else if (event.type === "lost" || event.type === "released") observed.terms.delete(termOf(event));
}

function termOf({ name, fencingToken }: { readonly name: string; readonly fencingToken: number }): string {
  return `${fencingToken} ${name}`;
}

/** Runs of guarded handlers that are under way, by guard and key: since when, and the number of the attempt. */
const runs = new Map<string, { readonly sinceMs: number; readonly attempt: number }>();

const RAN: ReadonlySet<IdempotencyOutcome> = new Set(["executed", "failed", "lost"]);

function traceRun(event: IdempotencyEvent): void {
  const { name, key } = event;
  const message = JSON.stringify([name, key]);
  if (event.type === "claimed") {
    runs.set(message, { sinceMs: systemClock.monotonicMs(), attempt: event.attempt });
  }
  const run = runs.get(message);
  // Duplicates settle, too, while the run that they wait for goes on.
  if (run === undefined || event.type !== "settled" || !RAN.has(event.outcome)) return;
  runs.delete(message);
  recordSpan({
    name: "holdfast.idempotency.run",
    durationMs: systemClock.monotonicMs() - run.sinceMs,
    attributes: {
      "holdfast.idempotency.name": name,
      "holdfast.idempotency.key": key,
      "holdfast.idempotency.attempt": run.attempt,
      "holdfast.outcome": event.outcome,
    },
    failure: event.outcome === "executed" ? undefined : event.outcome,
  });
}
