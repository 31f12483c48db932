import { expect, it } from "vitest";
import { createMemoryCache } from "../../../src/cache/memory/index.ts";
import type { LeaseEvent } from "../../../src/primitives/lease/events.ts";
import { acquireLock } from "../../../src/primitives/lock/acquire-lock.ts";
import { ManualClock } from "../../../src/testing/manual-clock.ts";

/** A clock that stands still until it has been read so often, and then jumps. */
class JumpingClock extends ManualClock {
  #readingsLeft = Number.POSITIVE_INFINITY;
  #jumpMs = 0;

  jumpAt(reading: number, ms: number): void {
    this.#readingsLeft = reading;
    this.#jumpMs = ms;
  }

  override monotonicMs(): number {
    this.#readingsLeft -= 1;
    if (this.#readingsLeft === 0) this.block(this.#jumpMs);
    return super.monotonicMs();
  }
}

/** More than a release makes. */
const READINGS = 24;

it("release tells what the holder was told, at whatever reading of its clock the time runs out", async () => {
  for (let reading = 1; reading <= READINGS; reading++) {
    const clock = new JumpingClock();
    const cache = createMemoryCache({ clock });
    const events: LeaseEvent[] = [];
    const options = { clock, ttlMs: 100, observer: (event: LeaseEvent) => void events.push(event) };
    const lock = await acquireLock(cache, "job", options);
    const next = acquireLock(cache, "job", { clock });
    // Soon enough for the lease to be passed on, then too late for it to be held.
    await clock.advance(20);
    clock.jumpAt(reading, 78);
    const released = await lock.release();
    expect(released, `reading ${reading}`).toBe(!events.some(({ type }) => type === "lost"));
    await clock.advance(1_000);
    await (await next).release();
    await cache.close();
  }
});
