import { beforeEach, describe, expect, it } from "vitest";
import { ABSENT, NO_EXPIRY } from "../../../src/cache/redis/commands.ts";
import { ExpiryAlarm } from "../../../src/cache/redis/expiry-alarm.ts";
import { sleep } from "../../../src/runtime/clock.ts";
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
  it("looks again after the TTL, and goes off when the value is gone", async () => {
    answers = [100, ABSENT];
    await alarm.look();
    await clock.advance(99);
    expect(wakes).toEqual([]);
    await clock.advance(11);
    expect(wakes).toEqual([100]);
    expect(clock.timers).toBe(0);
  });

  it("looks once more, a millisecond later, when it was early", async () => {
    answers = [100, 0, ABSENT];
    await alarm.look();
    await clock.advance(200);
    expect(wakes).toEqual([101]);
  });

  it("counts the TTL from the middle of the round trip in which it was read", async () => {
    answers = [() => sleep(clock, 40).then(() => 100), ABSENT];
    const looking = alarm.look();
    await clock.advance(40);
    await looking;
    await clock.advance(200);
    expect(wakes).toEqual([120]);
  });

  it("is silent when the value was renewed", async () => {
    answers = [100, 60, ABSENT];
    await alarm.look();
    await clock.advance(1_000);
    expect(wakes).toEqual([160]);
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
    expect(wakes).toEqual([200]);
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
    expect(wakes).toEqual([500]);
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
