import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CodecError, ConfigError, OperationError } from "../../../src/cache/errors.ts";
import { election } from "../../../src/primitives/leader/election.ts";
import type { ElectionOptions } from "../../../src/primitives/leader/options.ts";
import { acquireLock, tryAcquireLock } from "../../../src/primitives/lock/acquire-lock.ts";
import { inspectLock } from "../../../src/primitives/lock/inspect-lock.ts";
import type { LockOptions } from "../../../src/primitives/lock/options.ts";
import { withLock } from "../../../src/primitives/lock/with-lock.ts";
import type { Fault } from "../../../src/testing/faults.ts";
import type { FaultyCache } from "../../../src/testing/faulty-cache.ts";
import { World } from "./world.ts";

let world: World;
let cache: FaultyCache;
let commands: number;
beforeEach(() => {
  world = new World();
  cache = world.client();
  commands = 0;
  const count = cache.getOrSet.bind(cache);
  cache.getOrSet = (...args) => {
    commands += 1;
    return count(...args);
  };
});

describe("bad input is a typed error, before anything is sent", () => {
  afterEach(() => expect(commands, "commands sent").toBe(0));

  const wrong: Record<string, unknown> = {
    "ttlMs: null": { ttlMs: null },
    "ttlMs: 5n": { ttlMs: 5n },
    "renewEveryMs: null": { renewEveryMs: null },
    "waitMs: null": { waitMs: null },
    "maxHoldMs: null": { maxHoldMs: null },
    "renew: a string": { renew: "no" },
    "fencing: null": { fencing: null },
    "nested: an unknown word": { nested: "shared" },
    "holder: a number": { holder: 5 },
    "holder: a lone surrogate": { holder: "\ud800" },
    "signal: null": { signal: null },
  };
  it.each(Object.entries(wrong))("%s of a lock, by its name", async (name, options) => {
    const option = name.slice(0, name.indexOf(":"));
    const taken = acquireLock(cache, "job", world.options(options as LockOptions));
    await expect(taken).rejects.toThrow(ConfigError);
    await expect(taken).rejects.toThrow(option);
  });

  const wrongElection: Record<string, unknown> = {
    "ttlMs: null": { ttlMs: null },
    "holder: a number": { holder: 5 },
    "onOverrun: a number": { onOverrun: 5 },
  };
  it.each(Object.entries(wrongElection))("%s of an election", (_, options) => {
    expect(() => election(cache, "reports", options as ElectionOptions)).toThrow(ConfigError);
  });

  it("a campaign that waits null, or is ended by null", async () => {
    const candidate = election(cache, "reports", { clock: world.clock });
    await expect(candidate.campaign({ waitMs: null as never })).rejects.toThrow(ConfigError);
    await expect(candidate.campaign({ signal: null as never })).rejects.toThrow(ConfigError);
    await expect(candidate.run(() => {}, { signal: null as never })).rejects.toThrow(ConfigError);
    expect(() => candidate.observe({ signal: null as never })).toThrow(ConfigError);
  });

  it("work that is no function, for one key and for several", async () => {
    await expect(withLock(cache, "job", undefined as never, world.options())).rejects.toThrow(/^work is undefined/);
    await expect(withLock(cache, ["a", "b"], 5 as never, world.options())).rejects.toThrow(/^work is 5/);
    await expect(withLock(cache, 5 as never, () => {}, world.options())).rejects.toThrow("not 5");
  });

  it("metadata that cannot be written, or is too long", async () => {
    for (const metadata of [() => {}, "x".repeat(61_440)]) {
      const taken = acquireLock(cache, "job", world.options({ metadata }));
      await expect(taken).rejects.toThrow(CodecError);
      await expect(taken).rejects.toThrow(/^metadata cannot be written/);
    }
  });

  it("a name that leaves no room for the key of its fence", async () => {
    for (const name of ["x".repeat(1_017), "é".repeat(509), "{".repeat(339)]) {
      const taken = acquireLock(cache, name, world.options());
      await expect(taken).rejects.toThrow(OperationError);
      await expect(taken).rejects.toMatchObject({ code: "ERR_INVALID_KEY" });
    }
    expect(() => election(cache, "x".repeat(1_010))).toThrow("1 bytes too long");
  });
});

it("the longest names are taken", async () => {
  const lock = await acquireLock(cache, "x".repeat(1_016), world.options());
  expect(await lock.release()).toBe(true);
  expect(election(cache, "x".repeat(1_009)).name).toHaveLength(1_009);
});

it("metadata is what it was when the lock was asked for", async () => {
  const metadata = { step: 1 };
  const lock = await acquireLock(cache, "job", world.options({ metadata }));
  metadata.step = 2;
  await lock.extend(60_000);
  expect(await inspectLock(cache, "job")).toMatchObject({ metadata: { step: 1 } });
  await lock.release();
});

it("a lock may be extended to far less than its rhythm of renewal", async () => {
  const lock = await acquireLock(cache, "job", world.options({ ttlMs: 30_000, renewEveryMs: 1_000 }));
  await lock.extend(150);
  await world.clock.advance(10_000);
  expect(lock.isHeld()).toBe(true);
  await expect(lock.extend(5n as never)).rejects.toThrow(ConfigError);
  await lock.release();
});

describe("a single try", () => {
  it("is not made when its signal has aborted", async () => {
    const signal = AbortSignal.abort(new Error("stop"));
    await expect(tryAcquireLock(cache, "job", world.options({ signal }))).rejects.toThrow("stop");
    expect(commands).toBe(0);
  });

  it("ends with its signal, and gives back what it takes all the same", async () => {
    const faults: Fault[] = [
      { fault: "delay", delayMs: 500 },
      { fault: "lost-reply", delayMs: 500 },
    ];
    for (const fault of faults) {
      const stop = new AbortController();
      cache.inject({ ...fault, operation: "getOrSet", times: 1 });
      let ran = false;
      const work = (): void => {
        ran = true;
      };
      const guarded = withLock(cache, "job", work, world.options({ waitMs: 0, signal: stop.signal }));
      stop.abort(new Error("stop"));
      await expect(guarded).rejects.toThrow("stop");
      await world.clock.advance(1_000);
      expect(ran).toBe(false);
      expect(await inspectLock(cache, "job")).toBeNull();
    }
  });
});
