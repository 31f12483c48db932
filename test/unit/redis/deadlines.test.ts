import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Bounded, Deadlines } from "../../../src/cache/redis/deadlines.ts";
import { ManualClock } from "../../../src/testing/manual-clock.ts";

class Entry implements Bounded {
  earlier: Bounded | undefined;
  later: Bounded | undefined;
  expiredAtMs: number | undefined;
  readonly deadlineMs: number;
  readonly #clock: ManualClock;

  constructor(deadlineMs: number, clock: ManualClock) {
    this.deadlineMs = deadlineMs;
    this.#clock = clock;
  }

  expire(): void {
    this.expiredAtMs = this.#clock.monotonicMs();
  }
}

describe("deadlines", () => {
  it("expire each at its time, in any order of adding, unless they were removed before", async () => {
    const plans = fc.array(
      fc.record({
        deadlineMs: fc.integer({ min: 1, max: 200 }),
        removedAtMs: fc.option(fc.integer({ min: 0, max: 200 })),
      }),
      { maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        const clock = new ManualClock();
        const deadlines = new Deadlines<Entry>(clock);
        const entries = plan.map(({ deadlineMs, removedAtMs }) => {
          const entry = new Entry(deadlineMs, clock);
          deadlines.add(entry);
          if (removedAtMs !== null) clock.setTimer(() => deadlines.remove(entry), removedAtMs);
          return { entry, removedAtMs };
        });
        await clock.advance(300);
        for (const { entry, removedAtMs } of entries) {
          const isRemoved = removedAtMs !== null && removedAtMs < entry.deadlineMs;
          // Removed at the very time of its deadline: either may come first.
          if (removedAtMs !== entry.deadlineMs)
            expect(entry.expiredAtMs).toBe(isRemoved ? undefined : entry.deadlineMs);
        }
        expect(deadlines.isEmpty).toBe(true);
        expect(clock.timers).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it("are listed by time", () => {
    const clock = new ManualClock();
    const deadlines = new Deadlines<Entry>(clock);
    for (const deadlineMs of [30, 10, 20, 10]) deadlines.add(new Entry(deadlineMs, clock));
    expect(deadlines.toArray().map(({ deadlineMs }) => deadlineMs)).toEqual([10, 10, 20, 30]);
  });

  it("have one timer together, and none after a stop", () => {
    const clock = new ManualClock();
    const deadlines = new Deadlines<Entry>(clock);
    for (let i = 1; i <= 100; i++) deadlines.add(new Entry(i, clock));
    expect(clock.timers).toBe(1);
    deadlines.stop();
    expect(clock.timers).toBe(0);
  });

  it("give a turn of the event loop more when it was blocked, for what has come meanwhile", async () => {
    const clock = new ManualClock();
    const deadlines = new Deadlines<Entry>(clock);
    const [answered, lost] = [new Entry(100, clock), new Entry(100, clock)];
    deadlines.add(answered);
    deadlines.add(lost);
    clock.block(500);
    clock.setTimer(() => deadlines.remove(answered), 0);
    await clock.advance(10);
    expect(answered.expiredAtMs).toBeUndefined();
    expect(lost.expiredAtMs).toBe(501);
  });

  it("may be removed twice, and from within an expiry", async () => {
    const clock = new ManualClock();
    const deadlines = new Deadlines<Entry>(clock);
    const other = new Entry(20, clock);
    const first = Object.assign(new Entry(10, clock), {
      expire: () => {
        deadlines.remove(first);
        deadlines.remove(other);
        deadlines.remove(other);
      },
    });
    deadlines.add(first);
    deadlines.add(other);
    await clock.advance(50);
    expect(other.expiredAtMs).toBeUndefined();
    expect(deadlines.isEmpty).toBe(true);
  });
});
