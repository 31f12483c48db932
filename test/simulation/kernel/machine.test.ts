import { describe, expect, it } from "vitest";
import { Machine } from "./machine.ts";
import { Timeline } from "./timeline.ts";

function runUntil(timeline: Timeline, untilMs: number): void {
  for (let run = timeline.next(untilMs); run; run = timeline.next(untilMs)) run();
}

describe("a simulated machine", () => {
  it.each([0, 100])("that is suspended for %i ms at the beginning of time wakes up after it", (ms) => {
    const timeline = new Timeline();
    const machine = new Machine(timeline, { seed: 1, rate: 1, wallRate: 1, wallMs: 0 });
    let fired = 0;
    machine.setTimer(() => (fired += 1), 10);
    machine.suspend(ms);
    expect(machine.awake).toBe(false);
    runUntil(timeline, ms);
    expect(machine.awake).toBe(true);
    expect(machine.monotonicMs()).toBe(0);
    expect(machine.wallMs()).toBe(ms);
    // Suspended machines do not count down.
    runUntil(timeline, ms + 8);
    expect(fired).toBe(0);
    runUntil(timeline, ms + 12);
    expect(fired).toBe(1);
  });

  it("that is paused is late with its timers, though its clocks go on", () => {
    const timeline = new Timeline();
    const machine = new Machine(timeline, { seed: 1, rate: 1, wallRate: 1, wallMs: 0 });
    let firedAtMs = 0;
    machine.setTimer(() => (firedAtMs = machine.monotonicMs()), 10);
    machine.pause(100);
    runUntil(timeline, 200);
    expect(firedAtMs).toBe(100);
  });
});
