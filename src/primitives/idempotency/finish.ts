import { equalBytes } from "../../cache/bytes.ts";
import type { Cache } from "../../cache/contract.ts";
import { isStoreFault } from "../../cache/errors.ts";
import { type Clock, sleep } from "../../runtime/clock.ts";
import { within } from "../lease/within.ts";

export interface Finishing {
  readonly cache: Cache;
  readonly clock: Clock;
  readonly key: string;
  /** The record of the run. */
  readonly from: Uint8Array;
  /** The record that stays. */
  readonly to: Uint8Array;
  readonly ttlMs: number;
  /** How long one attempt may take before another one is made. */
  readonly attemptLimitMs: number;
  /** How long the claim still lasts. One attempt is made even if that is nothing. */
  readonly leftMs: () => number;
}

export type Finish =
  | { readonly kind: "finished" }
  /** The store holds something else, or nothing. */
  | { readonly kind: "lost" }
  /** The store did not take it, or did not answer, for as long as the claim lasted. */
  | { readonly kind: "unknown"; readonly error: unknown };

const FIRST_BACKOFF_MS = 10;
const LONGEST_BACKOFF_MS = 1_000;

/** Replaces the record of a run by the one that stays, trying again until the claim has ended. Never rejects. */
export async function finish(finishing: Finishing): Promise<Finish> {
  const { clock, attemptLimitMs, leftMs } = finishing;
  let error: unknown;
  for (let backoffMs = FIRST_BACKOFF_MS; ; backoffMs = Math.min(backoffMs * 2, LONGEST_BACKOFF_MS)) {
    const answer = await within(clock, swap(finishing), attemptLimitMs);
    if (answer !== undefined && answer.kind !== "unknown") return answer;
    error = answer?.error ?? error;
    const mayPass = answer === undefined || isStoreFault(answer.error);
    if (!mayPass || leftMs() <= backoffMs) return { kind: "unknown", error };
    await sleep(clock, backoffMs * (0.5 + clock.random() / 2));
  }
}

async function swap({ cache, key, from, to, ttlMs }: Finishing): Promise<Finish> {
  try {
    if (await cache.compareAndSet(key, from, to, ttlMs)) return { kind: "finished" };
    // A command that was sent twice fails the second time, against its own success.
    const found = await cache.get(key);
    return { kind: found !== undefined && equalBytes(found, to) ? "finished" : "lost" };
  } catch (error) {
    return { kind: "unknown", error };
  }
}
