import { expect, it } from "vitest";
import { Job } from "../../../src/primitives/lease/job.ts";
import type { Timer } from "../../../src/runtime/clock.ts";
import { ManualClock } from "../../../src/testing/manual-clock.ts";

/** A lease that ends by itself. */
class Lease {
  readonly #clock: ManualClock;
  readonly #endsMs: number;
  /** How long it still had to last when it was released. */
  releasedBeforeEndMs: number | undefined;

  constructor(clock: ManualClock, ttlMs: number) {
    this.#clock = clock;
    this.#endsMs = clock.monotonicMs() + ttlMs;
  }

  get remainingMs(): number {
    return Math.max(0, this.#endsMs - this.#clock.monotonicMs());
  }

  windDown(): void {}

  async release(): Promise<boolean> {
    this.releasedBeforeEndMs = this.remainingMs;
    return true;
  }

  async close(): Promise<void> {}
}

/** Timers run a millisecond early, as Node's may. */
class EarlyClock extends ManualClock {
  override setTimer(callback: () => void, delayMs: number): Timer {
    return super.setTimer(callback, Math.max(0.1, delayMs - 1));
  }
}

it("gives everything back when the work is done", async () => {
  const clock = new ManualClock();
  const lease = new Lease(clock, 1_000);
  const job = new Job(clock, [lease], undefined);
  const closing = job.close(new Error("closed"));
  await clock.advance(400);
  expect(lease.releasedBeforeEndMs).toBeUndefined();
  job.done();
  await closing;
  expect(lease.releasedBeforeEndMs).toBe(600);
  expect(clock.timers).toBe(0);
});

it("gives nothing back under work that goes on: it would count as finished in time", async () => {
  const clock = new EarlyClock();
  const leases = [new Lease(clock, 1_000), new Lease(clock, 2_000)];
  const closing = new Job(clock, leases, undefined).close(new Error("closed"));
  await clock.advance(2_001);
  await closing;
  expect(leases.map((lease) => lease.releasedBeforeEndMs)).toEqual([0, 0]);
});
