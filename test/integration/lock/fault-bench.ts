import { connect } from "../../../src/connect.ts";
import type { Coordinator } from "../../../src/coordinator.ts";
import { leaseTiming } from "../../../src/primitives/lease/timing.ts";
import type { Lock } from "../../../src/primitives/lock/lock.ts";

/** A lock under observation: when its signal aborted, against when it had to. */
export interface Watched {
  readonly lock: Lock;
  /** The end of the lease as far as is known now: it moves with each renewal that succeeds. */
  look(): void;
  /**
   * Milliseconds from the abort to the end of the lease, counted from before its last renewal was sent: nobody else
   * can have it before that. Negative: too late; `undefined`: not aborted.
   */
  marginMs(): number | undefined;
}

/** How many locks are held through each fault. The figures of the documentation are those of 100. */
const SAMPLES: number = Number(process.env["HOLDFAST_FAULT_SAMPLES"] ?? 10);

/** What a lock's `remainingMs` leaves out of its TTL. */
function reserveMs(ttlMs: number): number {
  const { marginMs } = leaseTiming(ttlMs);
  return marginMs;
}

export function watchLock(lock: Lock, ttlMs: number): Watched {
  const { signal } = lock;
  let endMs = performance.now() + lock.remainingMs + reserveMs(ttlMs);
  let abortedAtMs: number | undefined;
  signal.addEventListener("abort", () => {
    abortedAtMs = performance.now();
  });
  return {
    lock,
    look: () => {
      if (!signal.aborted) endMs = Math.max(endMs, performance.now() + lock.remainingMs + reserveMs(ttlMs));
    },
    marginMs: () => (abortedAtMs === undefined ? undefined : endMs - abortedAtMs),
  };
}

export async function holdMany(hold: Coordinator, name: string, ttlMs: number): Promise<Watched[]> {
  const locks = await Promise.all(
    Array.from({ length: SAMPLES }, (_, i) => hold.acquireLock(`${name} ${i}`, { ttlMs })),
  );
  return locks.map((lock) => watchLock(lock, ttlMs));
}

/** Connects with limits that suit short leases. */
export function connectBriskly(url: string): Promise<Coordinator> {
  return connect(url, { operationTimeoutMs: 300, connectTimeoutMs: 2_000 });
}

/** For how long this process was not running when it wanted to. */
export interface Stall {
  /** Stops looking; the longest stall so far, in milliseconds. */
  end(): number;
}

/** Follows the leases while renewals still succeed, and how well this process runs. */
export function follow(held: readonly Watched[]): Stall {
  const everyMs = 5;
  let lastMs = performance.now();
  let longestMs = 0;
  const look = (): void => {
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - lastMs - everyMs);
    lastMs = nowMs;
    for (const one of held) one.look();
  };
  const timer = setInterval(look, everyMs);
  return {
    end: () => {
      clearInterval(timer);
      return longestMs;
    },
  };
}
