import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { ConfigError } from "../../../src/cache/errors.ts";
import { createMemoryCache } from "../../../src/cache/memory/index.ts";
import { fenceGate, StaleFenceError } from "../../../src/primitives/lock/fence-gate.ts";
import type { FaultyCache } from "../../../src/testing/faulty-cache.ts";
import { follow, World } from "./world.ts";

const WEEK_MS = 7 * 24 * 60 * 60 * 1_000;

let world: World;
let cache: FaultyCache;
beforeEach(() => {
  world = new World();
  cache = world.client();
});

describe("a fence gate", () => {
  it("admits a token if it is no lower than any before, whatever the order", () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 9 })), async (tokens) => {
        const gate = fenceGate(createMemoryCache(), "file");
        let highest = 0;
        for (const token of tokens) {
          const admitted = await gate.admit(token).then(
            () => true,
            () => false,
          );
          expect(admitted).toBe(token >= highest);
          highest = Math.max(highest, token);
        }
      }),
    ));

  it("tells whoever was overtaken by which token, and of which resource", async () => {
    const gate = fenceGate(cache, "file");
    await gate.admit(7);
    const refused = gate.admit(6);
    await expect(refused).rejects.toThrow(StaleFenceError);
    await expect(refused).rejects.toMatchObject({ key: "file", fencingToken: 6, highestToken: 7 });
  });

  it("keeps resources apart, and is the same for all processes", async () => {
    await fenceGate(cache, "file").admit(7);
    await fenceGate(cache, "other {file}").admit(1);
    await expect(fenceGate(world.client(), "file").admit(6)).rejects.toThrow(StaleFenceError);
  });

  it("admits no lower token when others come between its steps", async () => {
    const slow = world.client();
    const gate = fenceGate(slow, "file");
    await gate.admit(1);
    const held = slow.inject({ fault: "hang", operation: "compareAndSet", times: 1 });
    slow.inject({ fault: "delay", delayMs: 10, operation: "compareAndSet", times: 1 });
    const late = gate.admit(5);
    const later = follow(gate.admit(3));
    await world.clock.advance(5);
    await fenceGate(world.client(), "file").admit(4);
    await world.clock.advance(5);
    expect(later.error()).toMatchObject({ fencingToken: 3, highestToken: 4 });
    held.release();
    await late;
    await expect(fenceGate(cache, "file").admit(4)).rejects.toMatchObject({ highestToken: 5 });
  });

  it("remembers a token for a week after it rose, or as long as it is told to", async () => {
    for (const [options, ms] of [
      [{}, WEEK_MS],
      [{ retentionMs: 1_000 }, 1_000],
    ] as const) {
      const gate = fenceGate(cache, `file for ${ms}`, options);
      await gate.admit(1);
      await world.clock.advance(ms / 2);
      await gate.admit(7);
      await world.clock.advance(ms - 1);
      await expect(gate.admit(6)).rejects.toThrow(StaleFenceError);
      await world.clock.advance(2);
      await gate.admit(6);
    }
  });

  it("takes what somebody else has written for no token at all", async () => {
    await world.store().set("gate:{file}", Buffer.from("?"), WEEK_MS);
    await fenceGate(cache, "file").admit(1);
    await expect(fenceGate(cache, "file").admit(0.5)).rejects.toThrow(ConfigError);
  });

  it("refuses a resource without a name, a wrong retention, and what is no token", async () => {
    for (const resource of ["", 5]) expect(() => fenceGate(cache, resource as never)).toThrow(ConfigError);
    for (const retentionMs of [0, null, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => fenceGate(cache, "file", { retentionMs: retentionMs as never })).toThrow("retentionMs");
    }
    const gate = fenceGate(cache, "file");
    for (const token of [0, -1, 1.5, Number.NaN, 2 ** 53, "7", undefined]) {
      await expect(gate.admit(token as never)).rejects.toThrow(ConfigError);
    }
  });
});
