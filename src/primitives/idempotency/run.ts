import { elapsedMs, now } from "../../runtime/instant.ts";
import { Job } from "../lease/job.ts";
import type { IdempotentHandler } from "./context.ts";
import type { Delivery } from "./delivery.ts";
import type { Report } from "./events.ts";
import type { HeldClaim } from "./held-claim.ts";
import type { ErrorPolicy, MessageSettings } from "./options.ts";
import type { FinishedRecord, RunningRecord } from "./record.ts";
import { storeError, storeValue } from "./result.ts";

/** What others may go by, when a run does not stand in their way any more. */
export type Ending =
  /** The result stands; in the store, unless the store could not be told. */
  | { readonly kind: "finished"; readonly record: FinishedRecord }
  /** The handler failed, and the next delivery may run it. */
  | { readonly kind: "released" }
  /** The claim was lost. */
  | { readonly kind: "lost" };

export interface RunParts<Input, Result> {
  readonly handler: IdempotentHandler<Input, Result>;
  readonly delivery: Delivery<Input, Result>;
  readonly claim: HeldClaim;
  readonly record: RunningRecord;
  readonly settings: MessageSettings;
  readonly report: Report;
}

/**
 * Runs the handler, records what it came to, and then settles the delivery:
 *
 * | handler | claim at the end | the delivery gets | recorded |
 * |---|---|---|---|
 * | returned | held | the value | the value |
 * | returned | the store cannot be reached while it lasts | the value: the effect is done | unknown; an event |
 * | returned | lost: the store holds something else | `IdempotencyLostError` with the value | nothing |
 * | threw | any | the handler's error | the error, with policy `"store"`, unless it is why the run had to stop |
 *
 * Never rejects.
 */
export async function run<Input, Result>(parts: RunParts<Input, Result>): Promise<Ending> {
  const { handler, delivery, claim, settings } = parts;
  const job = new Job(settings.clock, [claim], settings.scope);
  const startedAt = now(settings.clock);
  let ended: Promise<Ending>;
  try {
    const value = await delivery.call(() => handler(delivery.input, claim));
    delivery.ranMs = elapsedMs(settings.clock, startedAt);
    ended = returned(parts, value);
  } catch (error) {
    delivery.ranMs = elapsedMs(settings.clock, startedAt);
    ended = threw(parts, error);
  }
  const ending = await ended;
  job.done();
  return ending;
}

async function returned<Input, Result>(parts: RunParts<Input, Result>, value: Result): Promise<Ending> {
  const { delivery, claim, settings, report } = parts;
  const { result, error } = storeValue(value, settings.codec);
  if ("omitted" in result) report({ type: "result-omitted", reason: result.omitted, error });
  const { kind, record } = await claim.finish(finished(parts, { state: "completed", result }));
  if (kind === "lost") {
    delivery.fail(claim.lossError(value));
    return { kind: "lost" };
  }
  delivery.succeed({ outcome: "executed", value });
  return { kind: "finished", record };
}

async function threw<Input, Result>(parts: RunParts<Input, Result>, error: unknown): Promise<Ending> {
  const { delivery, claim, settings } = parts;
  const { policy, reason } = claim.stopped(error) ? { policy: "release", reason: error } : decide(settings, error);
  if (policy === "store") {
    const result = storeError(error, settings.codec);
    const { kind, record } = await claim.finish(finished(parts, { state: "failed", result }));
    delivery.fail(error);
    return kind === "lost" ? { kind } : { kind: "finished", record };
  }
  await claim.release();
  delivery.fail(reason);
  return { kind: "released" };
}

function decide(
  { onError }: MessageSettings,
  error: unknown,
): { readonly policy: ErrorPolicy; readonly reason: unknown } {
  try {
    return { policy: onError(error), reason: error };
  } catch (reason) {
    return { policy: "release", reason };
  }
}

function finished<Input, Result>(
  { record, settings }: RunParts<Input, Result>,
  end: Pick<FinishedRecord, "state" | "result">,
): FinishedRecord {
  const { nonce, fencingToken, lastToken, attempt, fingerprint, startedAtMs } = record;
  return {
    nonce,
    fencingToken,
    lastToken,
    attempt,
    fingerprint,
    startedAtMs,
    state: end.state,
    finishedAtMs: settings.clock.wallMs(),
    keptMs: settings.resultTtlMs,
    result: end.result,
  };
}
