import type { IdempotencyEvent, IdempotencyOutcome } from "../primitives/idempotency/events.ts";
import type { LeaseEvent } from "../primitives/lease/events.ts";
import { systemClock } from "../runtime/system-clock.ts";
import { currentInstruments, observed } from "./instruments.ts";
import { isTracing, recordSpan } from "./spans.ts";

/** Turns what the primitives report into metrics and spans. Names and keys are attributes of spans only. */
export function observe(event: LeaseEvent | IdempotencyEvent): void {
  switch (event.type) {
    case "renewed":
      currentInstruments()?.leaseRenewals.add(1, { kind: event.kind, outcome: event.outcome });
      break;
    case "lost":
      currentInstruments()?.leasesLost.add(1, { kind: event.kind, reason: event.reason });
      break;
    case "stalled":
      currentInstruments()?.leasesStalled.add(1, { kind: event.kind });
      break;
    case "release-failed":
      currentInstruments()?.releaseFailures.add(1, { kind: event.kind });
      break;
    default:
  }
  if (event.kind === "lock") observeLock(event);
  else if (event.kind === "leader") observeLeader(event);
  else if (event.kind === "idempotency") observeIdempotency(event);
}

function observeLock(event: LeaseEvent): void {
  const { name } = event;
  if (event.type === "acquired" || event.type === "not-acquired") {
    const { waitedMs } = event;
    const outcome = event.type === "acquired" ? "acquired" : event.outcome;
    const instruments = currentInstruments();
    instruments?.lockAcquisitions.add(1, { outcome });
    instruments?.lockWait.record(waitedMs / 1_000, { outcome });
    recordSpan({
      name: "holdfast.lock.wait",
      durationMs: waitedMs,
      attributes: {
        "holdfast.lock.name": name,
        "holdfast.outcome": outcome,
        ...(event.type === "acquired" ? { "holdfast.fencing_token": event.fencingToken } : {}),
      },
      failure: outcome === "timeout" || outcome === "failed" ? outcome : undefined,
    });
  } else if (event.type === "released") {
    const { heldMs, outcome, fencingToken } = event;
    currentInstruments()?.lockHold.record(heldMs / 1_000, { outcome });
    recordSpan({
      name: "holdfast.lock.hold",
      durationMs: heldMs,
      attributes: {
        "holdfast.lock.name": name,
        "holdfast.outcome": outcome,
        "holdfast.fencing_token": fencingToken,
      },
      failure: outcome === "lost" ? outcome : undefined,
    });
  }
}

function observeLeader(event: LeaseEvent): void {
  if (event.type !== "acquired" && event.type !== "lost" && event.type !== "released") return;
  const { name, fencingToken } = event;
  const term = `${fencingToken} ${name}`;
  if (event.type === "acquired") observed.terms.add(term);
  else observed.terms.delete(term);
  // An SDK that was started since then sees what is the case now.
  currentInstruments();
  if (event.type !== "released") return;
  recordSpan({
    name: "holdfast.leader.term",
    durationMs: event.heldMs,
    attributes: {
      "holdfast.election.name": name,
      "holdfast.outcome": event.outcome,
      "holdfast.fencing_token": fencingToken,
    },
    failure: event.outcome === "lost" ? event.outcome : undefined,
  });
}

/** Runs of guarded handlers that are under way, by guard and key: since when, and the number of the attempt. */
const runs = new Map<string, { readonly sinceMs: number; readonly attempt: number }>();

function observeIdempotency(event: IdempotencyEvent): void {
  if (event.type === "claimed" && isTracing()) {
    runs.set(messageOf(event), { sinceMs: systemClock.monotonicMs(), attempt: event.attempt });
  }
  if (event.type !== "settled") return;
  const { name, key, outcome, durationMs } = event;
  const instruments = currentInstruments();
  instruments?.idempotencyRequests.add(1, { name, outcome });
  instruments?.idempotencyDuration.record(durationMs / 1_000, { name, outcome });
  const run = runs.size === 0 ? undefined : runs.get(messageOf(event));
  // Duplicates settle, too, while the run that they wait for goes on.
  if (run === undefined || !RAN.has(outcome)) return;
  runs.delete(messageOf(event));
  recordSpan({
    name: "holdfast.idempotency.run",
    durationMs: systemClock.monotonicMs() - run.sinceMs,
    attributes: {
      "holdfast.idempotency.name": name,
      "holdfast.idempotency.key": key,
      "holdfast.idempotency.attempt": run.attempt,
      "holdfast.outcome": outcome,
    },
    failure: outcome === "executed" ? undefined : outcome,
  });
}

const RAN: ReadonlySet<IdempotencyOutcome> = new Set(["executed", "failed", "lost"]);

function messageOf({ name, key }: IdempotencyEvent): string {
  return JSON.stringify([name, key]);
}
