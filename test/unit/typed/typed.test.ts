import { type } from "arktype";
import * as v from "valibot";
import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { codec } from "../../../src/cache/codec/codec.ts";
import type { Cache } from "../../../src/cache/contract.ts";
import { CasFailedError, CodecError, ConfigError, NotFoundError, OperationError } from "../../../src/cache/errors.ts";
import { createMemoryCache } from "../../../src/cache/memory/index.ts";
import { FaultyCache, ManualClock } from "../../../src/testing/index.ts";
import { defineKey } from "../../../src/typed/define-key.ts";
import { ValidationError } from "../../../src/typed/errors.ts";
import { unchecked } from "../../../src/typed/schema.ts";
import { type TypedCache, typed } from "../../../src/typed/typed.ts";

interface User {
  readonly name: string;
  readonly age: number;
}

const ada: User = { name: "Ada", age: 36 };
const grace: User = { name: "Grace", age: 45 };
const id = { id: "42" };

let clock: ManualClock;
let cache: Cache;

beforeEach(() => {
  clock = new ManualClock();
  cache = createMemoryCache({ clock });
});

afterEach(async () => {
  await cache.close();
  expect(clock.timers).toBe(0);
});

describe("typed", () => {
  const user = defineKey("user:{id}", { ttlMs: 60_000, schema: unchecked<User>() });
  const users = (): TypedCache<{ readonly id: string }, typeof user.schema> => typed(cache, user, { clock });

  it("reads what it has written, as plain CBOR under the key", async () => {
    await users().set(id, ada);
    expect(await users().get(id)).toEqual(ada);
    expect(codec.decode((await cache.get("user:42")) ?? new Uint8Array())).toEqual(ada);
    expect(await users().get({ id: "43" })).toBeUndefined();
  });

  it("finds its cache for each call, if it is given a function", async () => {
    const other = createMemoryCache({ clock });
    let current = cache;
    const either = typed(async () => current, user);
    await either.set(id, ada);
    current = other;
    expect(await either.get(id)).toBeUndefined();
    await other.close();
  });

  it("requires a value or throws NotFoundError", async () => {
    await expect(users().require(id)).rejects.toThrow(NotFoundError);
    await users().set(id, ada);
    expect(await users().require(id)).toEqual(ada);
  });

  it("lets values live as long as the key says, less its jitter", async () => {
    await users().set(id, ada);
    await clock.advance(59_999);
    expect(await users().get(id)).toEqual(ada);
    await clock.advance(1);
    expect(await users().get(id)).toBeUndefined();

    const jittery = typed(cache, defineKey("jittery:{id}", { ttlMs: 1_000, ttlJitter: 0.5 }), { clock });
    const all = Array.from({ length: 200 }, (_, index) => ({ id: String(index) }));
    for (const each of all) await jittery.set(each, 1);
    const alive = async (): Promise<number> =>
      (await Promise.all(all.map((each) => jittery.get(each)))).filter((value) => value !== undefined).length;
    await clock.advance(499);
    expect(await alive()).toBe(200);
    await clock.advance(251);
    expect(await alive()).toBeGreaterThan(50);
    expect(await alive()).toBeLessThan(150);
    await clock.advance(250);
    expect(await alive()).toBe(0);
  });

  it("sets only what is absent, with getOrSet", async () => {
    expect(await users().getOrSet(id, ada)).toEqual({ value: ada, wasSet: true });
    expect(await users().getOrSet(id, grace)).toEqual({ value: ada, wasSet: false });
  });

  it("deletes", async () => {
    await users().set(id, ada);
    expect(await users().delete(id)).toBe(true);
    expect(await users().delete(id)).toBe(false);
    expect(await users().get(id)).toBeUndefined();
  });

  it("refuses undefined, which stands for no value", async () => {
    await expect(users().set(id, undefined as unknown as User)).rejects.toThrow(OperationError);
    expect(cache.stats().operations.set).toBe(0);
  });

  it("says which parameter is wrong by a rejection", async () => {
    await expect(users().get({} as { id: string })).rejects.toMatchObject({ code: "ERR_INVALID_KEY" });
  });

  it("names the key of a value that cannot be written or read", async () => {
    const things = typed(cache, defineKey("thing:{id}", { ttlMs: 1_000 }));
    const fault = { code: "ERR_CODEC", key: "thing:42", cause: expect.any(CodecError) };
    await expect(things.set(id, () => {})).rejects.toMatchObject({ ...fault, operation: "write" });
    await expect(things.getOrCompute(id, () => () => {})).rejects.toMatchObject({ ...fault, operation: "write" });
    await cache.set("thing:42", Uint8Array.of(0xff), 1_000);
    await expect(things.get(id)).rejects.toMatchObject({
      ...fault,
      operation: "read",
      message: expect.stringMatching(/^read "thing:42": /),
    });
  });

  it("refuses what is no key, no function and no options with ConfigError, before anything is sent", async () => {
    const faulty = new FaultyCache(cache);
    const things = typed(faulty, defineKey("thing:{id}", { ttlMs: 1_000 }));
    for (const wrong of [undefined, null, 5, {}] as never[]) {
      expect(() => typed(faulty, wrong)).toThrow(ConfigError);
      await expect(things.update(id, wrong)).rejects.toThrow(/^the change of update is .*; it must be a function$/);
      await expect(things.getOrCompute(id, wrong)).rejects.toThrow(/^the load of getOrCompute is /);
      await expect(things.warm([id], wrong)).rejects.toThrow(/^the load of warm is /);
    }
    for (const wrong of [null, 5] as never[]) {
      expect(() => typed(faulty, user, wrong)).toThrow(ConfigError);
      expect(() => typed(faulty, user, { onError: wrong })).toThrow(/^onError is /);
      await expect(things.getOrCompute(id, () => 1, wrong)).rejects.toThrow(ConfigError);
      await expect(things.getOrCompute(id, () => 1, { signal: wrong })).rejects.toThrow(/^signal is /);
      await expect(things.warm([id], () => 1, wrong)).rejects.toThrow(ConfigError);
    }
    expect(faulty.count()).toBe(0);
  });

  it.each([undefined, null, 5, {}, () => null, async () => undefined])("refuses %s as its cache", async (source) => {
    await expect(typed(source as never, user).get(id)).rejects.toThrow(ConfigError);
  });

  it("rejects what is no CBOR with CodecError", async () => {
    await cache.set("user:42", Uint8Array.of(0xff), 1_000);
    await expect(users().get(id)).rejects.toThrow(CodecError);
  });

  it("takes another program's self-described CBOR for the value that it describes", async () => {
    const described = (value: unknown): Uint8Array => Uint8Array.of(0xd9, 0xd9, 0xf7, ...codec.encode(value));
    const anything = typed(cache, defineKey("any:{id}", { ttlMs: 1_000 }));
    for (const value of [7, null, ada, { v: 2, fresh: 1 }, { v: 1, fresh: Number.NaN }]) {
      await cache.set("any:42", described(value), 1_000);
      expect(await anything.get(id)).toEqual(value);
    }
  });

  describe("update", () => {
    const counter = defineKey("counter:{id}", { ttlMs: 60_000, schema: unchecked<number>() });
    const increment = (old: number | undefined): number => (old ?? 0) + 1;

    it("loses no change of many at the same time", async () => {
      const counters = typed(cache, counter, { clock });
      const updates = Promise.all(Array.from({ length: 50 }, () => counters.update(id, increment)));
      await clock.advance(5_000);
      expect([...(await updates)].sort((a = 0, b = 0) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
      expect(await counters.get(id)).toBe(50);
    });

    it("lets those of one process try again in turn, so that any number of them succeed", async () => {
      const slow = new FaultyCache(cache, { clock });
      slow.inject({ fault: "delay", delayMs: 5 });
      const counters = typed(slow, counter, { clock });
      const updates = Promise.all(Array.from({ length: 500 }, () => counters.update(id, increment)));
      await clock.advance(10_000);
      expect(new Set(await updates).size).toBe(500);
      // A first attempt of each, and a second one of all but the first.
      expect(slow.count()).toBe(2 * (500 + 499));
    });

    it("does not wait for ever for one whose change hangs", async () => {
      const counters = typed(cache, counter, { clock });
      const opposed = async (old: number | undefined): Promise<number> => {
        await cache.set("counter:42", codec.encode((old ?? 0) + 10), 60_000);
        return increment(old);
      };
      let calls = 0;
      void counters.update(id, (old) => {
        calls += 1;
        return calls === 1 ? opposed(old) : new Promise<number>(() => {});
      });
      await clock.advance(0);
      expect(calls).toBe(2);
      let opposition = 0;
      const next = counters.update(id, (old) => (opposition++ === 0 ? opposed(old) : increment(old)));
      await clock.advance(2_000);
      expect(await next).toBe(21);
    });

    it("deletes when the change gives undefined, and does nothing when there was nothing", async () => {
      const counters = typed(cache, counter);
      expect(await counters.update(id, () => undefined)).toBeUndefined();
      expect(cache.stats().operations.compareAndSet).toBe(0);
      await counters.set(id, 1);
      expect(await counters.update(id, async () => undefined)).toBeUndefined();
      expect(await counters.get(id)).toBeUndefined();
    });

    it("gives up with CasFailedError when somebody else is always faster", async () => {
      const counters = typed(cache, counter, { clock });
      const outcome = counters
        .update(id, async (old = 0) => {
          await counters.set(id, old + 10);
          return old + 1;
        })
        .catch((error: unknown) => error);
      await clock.advance(10_000);
      expect(await outcome).toBeInstanceOf(CasFailedError);
      expect(await counters.get(id)).toBe(250);
    });

    it("passes on what the change throws, and writes nothing", async () => {
      const boom = new Error("boom");
      await expect(
        typed(cache, counter).update(id, () => {
          throw boom;
        }),
      ).rejects.toBe(boom);
      expect(await cache.get("counter:42")).toBeUndefined();
    });
  });
});

describe.each([
  ["zod", z.object({ name: z.string(), age: z.number().int() })],
  ["valibot", v.object({ name: v.string(), age: v.pipe(v.number(), v.integer()) })],
  ["arktype", type({ name: "string", age: "number.integer" })],
])("a schema of %s", (_, schema) => {
  const key = defineKey("user:{id}", { ttlMs: 60_000, schema });
  const bad = { name: "Ada", age: 36.5 };

  it("gives values their type", () => {
    expectTypeOf(typed(cache, key).get).returns.resolves.toEqualTypeOf<{ name: string; age: number } | undefined>();
  });

  it("keeps what does not fit from being written, by every operation, naming the path", async () => {
    const users = typed(cache, key);
    const fault = { code: "ERR_VALIDATION", key: "user:42", message: expect.stringContaining("age") };
    await expect(users.set(id, bad)).rejects.toMatchObject(fault);
    await expect(users.getOrSet(id, bad)).rejects.toMatchObject(fault);
    await expect(users.update(id, () => bad)).rejects.toMatchObject(fault);
    await expect(users.getOrCompute(id, () => bad)).rejects.toMatchObject(fault);
    expect(await cache.get("user:42")).toBeUndefined();
  });

  it("keeps what does not fit from being read", async () => {
    const users = typed(cache, key);
    await cache.set("user:42", codec.encode(bad), 60_000);
    const error = await users.get(id).catch((fault: unknown) => fault);
    expect(error).toBeInstanceOf(ValidationError);
    expect(error).toBeInstanceOf(CodecError);
    expect((error as ValidationError).issues).toHaveLength(1);
    await expect(users.getOrSet(id, ada)).rejects.toThrow(ValidationError);
    await expect(users.update(id, () => ada)).rejects.toThrow(ValidationError);
  });
});

describe("a schema that transforms", () => {
  const schema = z.object({
    at: z.string().transform((text) => new Date(text)),
    tags: z.array(z.string()).default([]),
  });
  const events = (): TypedCache<{ readonly id: string }, typeof schema> =>
    typed(cache, defineKey("event:{id}", { ttlMs: 60_000, schema }));
  const given = { at: "2024-02-29T12:00:00Z" };
  const read = { at: new Date("2024-02-29T12:00:00Z"), tags: [] };

  it("is applied to what is read, once", async () => {
    await events().set(id, given);
    expect(await events().get(id)).toEqual(read);
    expect(codec.decode((await cache.get("event:42")) ?? new Uint8Array())).toEqual(given);
  });

  it("gives the same to whoever wrote or computed a value as to later readers", async () => {
    expect((await events().getOrSet(id, given)).value).toEqual(read);
    expect(await events().update(id, (old) => ({ at: old?.at.toISOString() ?? "" }))).toEqual(read);
    await events().delete(id);
    expect(await events().getOrCompute(id, () => given)).toEqual(read);
    expect(await events().getOrCompute(id, () => given)).toEqual(read);
  });

  it("has different types for what goes in and what comes out", async () => {
    expectTypeOf(events().set).parameter(1).toEqualTypeOf<{ at: string; tags?: string[] | undefined }>();
    expectTypeOf(events().require).returns.resolves.toEqualTypeOf<{ at: Date; tags: string[] }>();
    // @ts-expect-error what comes out cannot go in
    await expect(events().set(id, read)).rejects.toThrow(ValidationError);
  });

  it("may be asynchronous", async () => {
    const taken = z.string().refine(async (name) => name !== "taken");
    const names = typed(cache, defineKey("name:{id}", { ttlMs: 60_000, schema: taken }));
    await names.set(id, "free");
    await expect(names.set(id, "taken")).rejects.toThrow(ValidationError);
    expect(await names.get(id)).toBe("free");
  });
});
