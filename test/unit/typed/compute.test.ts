import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Cache } from "../../../src/cache/contract.ts";
import { createMemoryCache } from "../../../src/cache/memory/index.ts";
import { acquireLock } from "../../../src/primitives/lock/acquire-lock.ts";
import { withLock } from "../../../src/primitives/lock/with-lock.ts";
import { sleep } from "../../../src/runtime/clock.ts";
import { FaultyCache, ManualClock } from "../../../src/testing/index.ts";
import { defineKey } from "../../../src/typed/define-key.ts";
import { ComputeTimeoutError } from "../../../src/typed/errors.ts";
import { unchecked } from "../../../src/typed/schema.ts";
import { type TypedCache, typed } from "../../../src/typed/typed.ts";
import type { WarmProgress } from "../../../src/typed/warm.ts";

const report = defineKey("report:{id}", { ttlMs: 1_000, schema: unchecked<string>() });
const id = { id: "42" };

type Reports = TypedCache<{ readonly id: string }, typeof report.schema>;

let clock: ManualClock;
let cache: FaultyCache;
let opened: Cache[];
let errors: unknown[];
let loads: number;

beforeEach(() => {
  clock = new ManualClock();
  opened = [];
  errors = [];
  loads = 0;
  cache = new FaultyCache(open(), { clock });
});

afterEach(async () => {
  await cache.close();
  await Promise.all(opened.map((one) => one.close()));
  expect(clock.timers).toBe(0);
});

function open(): Cache {
  const memory = createMemoryCache({ name: "compute", clock });
  opened.push(memory);
  return memory;
}

/** What one process sees; another call is another process. */
function process(own: Cache = open()): Reports {
  return typed(own, report, { clock, onError: (error) => errors.push(error) });
}

/** A computation that takes 100 ms and numbers its results. */
async function load(): Promise<string> {
  loads += 1;
  const result = `result ${loads}`;
  await sleep(clock, 100);
  return result;
}

/** Settles `promise` by letting time pass. */
async function settled<T>(ms: number, promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  await clock.advance(ms);
  return promise;
}

const fails = (): Promise<string> => Promise.reject(new Error("the database is down"));

describe("getOrCompute", () => {
  it("computes what is missing and then serves it until its TTL is over", async () => {
    const reports = process();
    expect(await settled(100, reports.getOrCompute(id, load))).toBe("result 1");
    expect(await reports.getOrCompute(id, load)).toBe("result 1");
    expect(await process().get(id)).toBe("result 1");
    await clock.advance(1_000);
    expect(await settled(100, reports.getOrCompute(id, load))).toBe("result 2");
  });

  it("gives the parameters to the computation", async () => {
    expect(await process().getOrCompute(id, (parameters) => `of ${parameters.id}`)).toBe("of 42");
  });

  it("computes once for all callers of all processes", async () => {
    const processes = Array.from({ length: 4 }, () => process());
    const calls = processes.flatMap((reports) => Array.from({ length: 125 }, () => reports.getOrCompute(id, load)));
    expect(new Set(await settled(1_000, Promise.all(calls)))).toEqual(new Set(["result 1"]));
    expect(loads).toBe(1);
  });

  it("computes in the next process when the one that computed has died", async () => {
    const dead = process(cache);
    void dead.getOrCompute(id, () => new Promise(() => {})).catch(() => {});
    await clock.advance(10);
    cache.inject({ fault: "hang" });

    const alive = process().getOrCompute(id, load, { leaseTtlMs: 2_000 });
    await clock.advance(4_900);
    expect(loads).toBe(0);
    expect(await settled(1_000, alive)).toBe("result 1");
  });

  it("takes what was set for fresh", async () => {
    const reports = process();
    await reports.set(id, "set");
    expect(await reports.getOrCompute(id, load)).toBe("set");
  });

  it("does not overwrite what was set while it computed", async () => {
    const reports = process();
    const computed = reports.getOrCompute(id, load);
    await clock.advance(50);
    await reports.set(id, "newer");
    expect(await settled(100, computed)).toBe("result 1");
    expect(await reports.get(id)).toBe("newer");
  });

  it("rejects with the error of the computation, to all who wait in this process, and stores nothing", async () => {
    const reports = process();
    const calls = Array.from({ length: 3 }, () => reports.getOrCompute(id, fails));
    for (const call of calls) await expect(call).rejects.toThrow("the database is down");
    expect(await reports.get(id)).toBeUndefined();
    expect(await settled(100, reports.getOrCompute(id, load))).toBe("result 1");
  });

  it("computes again what does not fit, and reports it", async () => {
    await cache.set("report:42", Uint8Array.of(0xff), 1_000);
    expect(await settled(100, process().getOrCompute(id, load))).toBe("result 1");
    expect(errors).toMatchObject([{ code: "ERR_CODEC" }, { code: "ERR_CODEC" }]);
    expect(await process().get(id)).toBe("result 1");
  });

  it("gives the computed value even if it could not be stored, and reports that", async () => {
    cache.inject({ fault: "error", operation: "compareAndSet", key: "report:42" });
    expect(await settled(100, process(cache).getOrCompute(id, load))).toBe("result 1");
    expect(errors).toHaveLength(1);
  });

  it("runs within a lock of the same name", async () => {
    const reports = process(cache);
    const work = withLock(cache, "report:42", () => reports.getOrCompute(id, load), { clock });
    expect(await settled(200, work)).toBe("result 1");
  });

  it.each(["staleMs", "graceMs", "absentTtlMs", "waitMs", "leaseTtlMs"])("refuses a wrong %s", async (option) => {
    for (const wrong of [-1, null, "5"]) {
      const fault = { code: "ERR_CONFIG", message: expect.stringMatching(new RegExp(`^${option} is `)) };
      await expect(process().getOrCompute(id, load, { [option]: wrong })).rejects.toMatchObject(fault);
      await expect(process().warm([id], load, { [option]: wrong })).rejects.toMatchObject(fault);
    }
  });

  it("gives each of those who wait a value of its own", async () => {
    const profile = defineKey("profile:{id}", { ttlMs: 1_000, schema: unchecked<{ visits: number }>() });
    for (const fault of ["delay", "error"] as const) {
      cache.inject({ fault, operation: "compareAndSet", delayMs: 1 });
      const profiles = typed(cache, profile, { clock });
      const calls = [1, 2, 3].map(() => profiles.getOrCompute(id, () => ({ visits: 1 })));
      const [first, second, third] = await settled(100, Promise.all(calls));
      if (first !== undefined) first.visits = 99;
      if (second !== undefined) second.visits = 98;
      expect(third).toEqual({ visits: 1 });
      cache.heal();
      await clock.advance(1_000);
    }
  });

  describe("waiting", () => {
    it("ends for one caller by its signal, and goes on for the others", async () => {
      const reports = process();
      const controller = new AbortController();
      const first = reports.getOrCompute(id, load, { signal: controller.signal });
      const second = reports.getOrCompute(id, load);
      await clock.advance(50);
      controller.abort(new Error("enough"));
      await expect(first).rejects.toThrow("enough");
      expect(await settled(50, second)).toBe("result 1");
      await expect(reports.getOrCompute(id, load, { signal: controller.signal })).rejects.toThrow("enough");
      expect(loads).toBe(1);
    });

    it("ends with ComputeTimeoutError after waitMs, in this process and in another", async () => {
      const here = process();
      const slow = here.getOrCompute(id, async () => sleep(clock, 10_000).then(() => "late"));
      await clock.advance(10);
      const waiters = [here, process()].map((reports) =>
        reports.getOrCompute(id, load, { waitMs: 500 }).catch((error: unknown) => error),
      );
      await clock.advance(500);
      for (const error of await Promise.all(waiters)) {
        expect(error).toBeInstanceOf(ComputeTimeoutError);
        expect(error).toMatchObject({ code: "ERR_COMPUTE_TIMEOUT", key: "report:42" });
      }
      expect(await settled(10_000, slow)).toBe("late");
      expect(loads).toBe(0);
    });
  });

  describe("staleMs", () => {
    const options = { staleMs: 500 };

    it("serves an old value at once while one process computes it again", async () => {
      const [a, b] = [process(), process()];
      await settled(100, a.getOrCompute(id, load, options));
      await clock.advance(1_200);
      const calls = [a, b, a, b].map((reports) => reports.getOrCompute(id, load, options));
      expect(await Promise.all(calls)).toEqual(Array(4).fill("result 1"));
      await clock.advance(200);
      expect(loads).toBe(2);
      expect(await b.getOrCompute(id, load, options)).toBe("result 2");
    });

    it("keeps the old value for no longer than that", async () => {
      const reports = process();
      await settled(100, reports.getOrCompute(id, load, options));
      await clock.advance(1_499);
      expect(await reports.get(id)).toBe("result 1");
      await clock.advance(1);
      expect(await reports.get(id)).toBeUndefined();
    });

    it("reports a computation that failed in the background, and tries again a second later", async () => {
      const reports = process();
      const long = { staleMs: 10_000 };
      await settled(100, reports.getOrCompute(id, load, long));
      await clock.advance(1_000);
      for (let i = 0; i < 5; i++) {
        expect(await settled(10, reports.getOrCompute(id, fails, long))).toBe("result 1");
      }
      expect(errors).toMatchObject([{ message: "the database is down" }]);
      await clock.advance(1_000);
      expect(await settled(200, reports.getOrCompute(id, load, long))).toBe("result 1");
      expect(await reports.getOrCompute(id, load, long)).toBe("result 2");
    });
  });

  describe("graceMs", () => {
    const options = { graceMs: 5_000 };

    it("computes again when the TTL is over, for the caller to wait", async () => {
      const reports = process();
      await settled(100, reports.getOrCompute(id, load, options));
      await clock.advance(1_000);
      expect(await settled(100, reports.getOrCompute(id, load, options))).toBe("result 2");
    });

    it("serves an old value when that fails, and does not try again for a second", async () => {
      const reports = process();
      await settled(100, reports.getOrCompute(id, load, options));
      await clock.advance(1_000);
      expect(await Promise.all([1, 2].map(() => reports.getOrCompute(id, fails, options)))).toEqual([
        "result 1",
        "result 1",
      ]);
      expect(errors).toHaveLength(1);
      expect(await reports.getOrCompute(id, load, options)).toBe("result 1");
      expect(loads).toBe(1);
      await clock.advance(1_000);
      expect(await settled(100, reports.getOrCompute(id, load, options))).toBe("result 2");
    });

    it("is over when it is over, however often it was used", async () => {
      const reports = process();
      await settled(100, reports.getOrCompute(id, load, options));
      await clock.advance(1_000);
      for (let passed = 0; passed < 5_000; passed += 1_250) {
        expect(await reports.getOrCompute(id, fails, options)).toBe("result 1");
        await clock.advance(1_250);
      }
      await expect(reports.getOrCompute(id, fails, options)).rejects.toThrow("the database is down");
    });

    it("serves an old value when another process computes for too long", async () => {
      const reports = process();
      await settled(100, reports.getOrCompute(id, load, options));
      await clock.advance(1_000);
      const slow = process().getOrCompute(id, async () => sleep(clock, 1_000).then(() => "late"));
      await clock.advance(10);
      expect(await settled(500, reports.getOrCompute(id, load, { ...options, waitMs: 400 }))).toBe("result 1");
      await settled(1_000, slow);
    });
  });

  describe("absence", () => {
    const nothing = async (): Promise<undefined> => {
      loads += 1;
    };

    it("is not remembered by default", async () => {
      const reports = process();
      expect(await reports.getOrCompute(id, nothing)).toBeUndefined();
      expect(await reports.getOrCompute(id, nothing)).toBeUndefined();
      expect(loads).toBe(2);
      expect(await cache.get("report:42")).toBeUndefined();
    });

    it("is remembered for absentTtlMs", async () => {
      const reports = process();
      for (let i = 0; i < 3; i++) {
        expect(await reports.getOrCompute(id, nothing, { absentTtlMs: 500 })).toBeUndefined();
      }
      expect(loads).toBe(1);
      expect(await reports.get(id)).toBeUndefined();
      await clock.advance(500);
      await reports.getOrCompute(id, nothing);
      expect(loads).toBe(2);
    });

    it("counts as nothing for every other operation", async () => {
      const reports = process();
      const forget = (): Promise<unknown> => reports.getOrCompute(id, nothing, { absentTtlMs: 500 });
      await forget();
      expect(await reports.getOrSet(id, "set")).toEqual({ value: "set", wasSet: true });
      await reports.delete(id);
      await forget();
      expect(await reports.update(id, (old) => `was ${old}`)).toBe("was undefined");
    });

    it("replaces an old value", async () => {
      const reports = process();
      const options = { graceMs: 5_000 };
      await settled(100, reports.getOrCompute(id, load, options));
      await clock.advance(1_000);
      expect(await reports.getOrCompute(id, nothing, options)).toBeUndefined();
      expect(await cache.get("report:42")).toBeUndefined();
    });
  });

  it("leaves its lease to nobody: the key of a lock of that name is another one", async () => {
    const held = await acquireLock(cache, "report:42", { clock });
    expect(await settled(200, process().getOrCompute(id, load))).toBe("result 1");
    await held.release();
  });
});

describe("warm", () => {
  const all = Array.from({ length: 10 }, (_, index) => ({ id: String(index) }));

  it("sees to it that every key has a fresh value, a few at a time, and tells how far it is", async () => {
    const reports = process();
    await reports.set({ id: "3" }, "set");
    let underWay = 0;
    let most = 0;
    const progress: WarmProgress[] = [];
    const slowly = async (): Promise<string> => {
      most = Math.max(most, ++underWay);
      const result = await load();
      underWay -= 1;
      return result;
    };
    const warming = reports.warm(all, slowly, { concurrency: 3, onProgress: (step) => progress.push(step) });
    expect(await settled(1_000, warming)).toEqual({ warmed: 10, failures: [] });
    expect(most).toBe(3);
    expect(loads).toBe(9);
    expect(progress.map(({ done }) => done)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(progress.at(-1)).toEqual({ done: 10, failed: 0, total: 10 });
  });

  it("goes on when one fails, and tells which", async () => {
    const result = await process().warm(all, ({ id: one }) => (one === "5" ? fails() : one));
    expect(result.warmed).toBe(9);
    expect(result.failures).toMatchObject([{ parameters: { id: "5" }, error: { message: "the database is down" } }]);
  });

  it("takes parameters as they come", async () => {
    async function* stream(): AsyncGenerator<{ id: string }> {
      yield* all;
    }
    const totals = new Set<number | undefined>();
    const onProgress = ({ total }: WarmProgress): void => void totals.add(total);
    expect(await process().warm(stream(), ({ id: one }) => one, { onProgress })).toMatchObject({ warmed: 10 });
    expect(totals).toEqual(new Set([undefined]));
  });

  it.each([0, 1.5, "2", null])("refuses the concurrency %s", async (concurrency) => {
    const options = { concurrency: concurrency as number };
    await expect(process().warm(all, load, options)).rejects.toMatchObject({
      code: "ERR_CONFIG",
      message: expect.stringMatching(/^concurrency is /),
    });
  });

  it("ends by its signal", async () => {
    const controller = new AbortController();
    const warming = process().warm(all, load, { concurrency: 2, signal: controller.signal });
    warming.catch(() => {});
    await clock.advance(150);
    controller.abort(new Error("enough"));
    await expect(warming).rejects.toThrow("enough");
    await clock.advance(1_000);
    expect(loads).toBe(4);
  });
});
