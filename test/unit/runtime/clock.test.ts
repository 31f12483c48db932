import { getEventListeners } from "node:events";
import { expect, it } from "vitest";
import { sleep } from "../../../src/runtime/clock.ts";
import { ManualClock } from "../../../src/testing/manual-clock.ts";

it("a sleep that ends, by its time or by its signal, leaves neither a timer nor a listener", async () => {
  const clock = new ManualClock();
  const controller = new AbortController();
  const first = sleep(clock, 10, controller.signal);
  await clock.advance(10);
  await first;
  expect(getEventListeners(controller.signal, "abort")).toEqual([]);
  const second = sleep(clock, 10, controller.signal);
  controller.abort();
  await second;
  expect(getEventListeners(controller.signal, "abort")).toEqual([]);
  expect(clock.timers).toBe(0);
});
