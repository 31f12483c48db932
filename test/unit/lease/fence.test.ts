import { describe, expect, it } from "vitest";
import { OperationError } from "../../../src/cache/errors.ts";
import { leaseKeys } from "../../../src/primitives/lease/names.ts";
import { encodeRecord } from "../../../src/primitives/lease/record.ts";
import { acquireLock, tryAcquireLock } from "../../../src/primitives/lock/acquire-lock.ts";
import { LockTimeoutError } from "../../../src/primitives/lock/errors.ts";
import { follow, World } from "../lock/world.ts";

const keys = leaseKeys("lock", "job");
const text = (value: unknown): Uint8Array => new TextEncoder().encode(String(value));

describe("a fence that somebody has written over", () => {
  it.each(["", "garbage", "-5", "1.5", "99999999999999999", "9007199254740993"])(
    "with %j counts as none: tokens go on with the clock",
    async (garbage) => {
      const world = new World();
      const first = await acquireLock(world.client(), "job", world.options());
      await first.release();
      await world.store().set(keys.fence, text(garbage), 60_000);
      await world.clock.advance(1);
      const second = await acquireLock(world.client(), "job", world.options());
      expect(second.fencingToken).toBeGreaterThan(first.fencingToken);
      await second.release();
    },
  );

  it.each([true, false])(
    "so high that there is no higher token: nothing is granted or left (ordered: %s)",
    async (ordered) => {
      const world = new World();
      const cache = world.client({ ordered });
      await world.store().set(keys.fence, text(Number.MAX_SAFE_INTEGER), 60_000);
      const error: unknown = await tryAcquireLock(cache, "job", world.options()).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(OperationError);
      expect(error).toMatchObject({ code: "ERR_FENCE_EXHAUSTED", key: keys.fence });
      await world.clock.advance(0);
      expect(await world.store().get(keys.lease)).toBeUndefined();

      const waiting = follow(acquireLock(cache, "job", world.options({ waitMs: 500 })));
      await world.clock.advance(1_000);
      expect(waiting.error()).toBeInstanceOf(LockTimeoutError);
      expect(waiting.error()).toMatchObject({ cause: { code: "ERR_FENCE_EXHAUSTED" } });
      expect(await world.store().get(keys.lease)).toBeUndefined();

      await world.store().delete(keys.fence);
      const lock = await acquireLock(cache, "job", world.options());
      expect(lock.fencingToken).toBeLessThan(Number.MAX_SAFE_INTEGER);
      await lock.release();
      expect(world.clock.timers).toBe(0);
    },
  );

  it("is not taken for so high because a record says so", async () => {
    const world = new World();
    const cache = world.client();
    const record = { holder: "liar", nonce: new Uint8Array(16), acquiredAtMs: 0, ttlMs: 100 };
    const token = Number.MAX_SAFE_INTEGER;
    await world.store().set(keys.lease, encodeRecord({ ...record, fencingToken: token, lastToken: token }), 100);
    expect(await tryAcquireLock(cache, "job", world.options())).toBeNull();
    await world.clock.advance(200);
    const lock = await tryAcquireLock(cache, "job", world.options());
    expect(lock?.fencingToken).toBeLessThan(token);
    await lock?.release();
  });
});
