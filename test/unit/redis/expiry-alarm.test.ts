import { beforeEach, describe, expect, it } from "vitest";
import { ABSENT, NO_EXPIRY } from "../../../src/cache/redis/commands.ts";
import { ExpiryAlarm } from "../../../src/cache/redis/expiry-alarm.ts";
import { ManualClock } from "../../../src/testing/manual-clock.ts";

let clock: ManualClock;
let wakes: number[];
/** What the store will answer, one after the other, and then that the key is absent. */
let answers: (number | (() => Promise<number>))[];
let reads: number;
let alarm: ExpiryAlarm;
beforeEach(() => {
  clock = new ManualClock();
  wakes = [];
  answers = [];
  reads = 0;
  alarm = new ExpiryAlarm({
    clock,
    readRemainingMs: async () => {
      reads += 1;
      const answer = answers.shift() ?? ABSENT;
      return typeof answer === "number" ? answer : answer();
    },
    onExpired: () => wakes.push(clock.monotonicMs()),
  });
});

describe("an expiry alarm", () => {
  it("looks again just after the TTL, and goes off when the value is gone", async () => {
    answers = [100, ABSENT];
    await alarm.look();
    await clock.advance(100);
    expect(wakes).toEqual([]);
    await clock.advance(10);
    expect(wakes).toEqual([101]);
    expect(clock.timers).toBe(0);
  });

  it("is silent when the value was renewed", async () => {
    answers = [100, 60, ABSENT];
    await alarm.look();
    await clock.advance(1_000);
    expect(wakes).toEqual([162]);
    expect(reads).toBe(3);
  });

  it("does not go off for a key that was absent from the start, and is idle then", async () => {
    await alarm.look();
    await clock.advance(1_000);
    expect(wakes).toEqual([]);
    expect(alarm.isIdle).toBe(true);
  });

  it("waits for nothing while the value never expires, but is not idle", async () => {
    answers = [NO_EXPIRY];
    await alarm.look();
    expect(clock.timers).toBe(0);
    expect(alarm.isIdle).toBe(false);
  });

  it("follows what is announced, without a command", async () => {
    alarm.set(50);
    alarm.set(200);
    await clock.advance(150);
    expect(reads).toBe(0);
    await clock.advance(100);
    expect(wakes).toEqual([201]);
  });

  it("believes an announcement rather than an answer that was asked for before", async () => {
    let answer = (_: number): void => {};
    answers = [() => new Promise((resolve) => (answer = resolve)), ABSENT];
    const looking = alarm.look();
    alarm.set(500);
    answer(10);
    await looking;
    await clock.advance(400);
    expect(wakes).toEqual([]);
    await clock.advance(200);
    expect(wakes).toEqual([501]);
  });

  it("goes off when it cannot find out: a call too many is allowed", async () => {
    answers = [20, () => Promise.reject(new Error("no connection"))];
    await alarm.look();
    await clock.advance(30);
    expect(wakes).toHaveLength(1);
  });

  it("is silent for ever once cleared", async () => {
    answers = [20];
    await alarm.look();
    alarm.clear();
    await clock.advance(1_000);
    expect(wakes).toEqual([]);
    expect(clock.timers).toBe(0);
  });
});
