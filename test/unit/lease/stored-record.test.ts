import { beforeEach, describe, expect, it } from "vitest";
import { createMemoryCache } from "../../../src/cache/memory/index.ts";
import { StoredRecord } from "../../../src/primitives/lease/stored-record.ts";
import { ManualClock } from "../../../src/testing/manual-clock.ts";
import { LateCache } from "./late-cache.ts";

const MINUTE = 60_000;
const OLD = Buffer.from("old");
const NEW = Buffer.from("new");

let cache: LateCache;
let record: StoredRecord;
beforeEach(async () => {
  const clock = new ManualClock();
  cache = new LateCache(createMemoryCache({ clock }), { clock });
  await cache.set("key", OLD, MINUTE);
  record = new StoredRecord(cache, "key", OLD);
});

async function stored(): Promise<string | undefined> {
  const bytes = await cache.get("key");
  return bytes && Buffer.from(bytes).toString();
}

describe("a record that is being replaced", () => {
  it("is unsettled until the new one was written", async () => {
    record.replace(NEW);
    expect(record.isSettled).toBe(false);
    expect(await record.write(MINUTE)).toBe(true);
    expect(record.isSettled).toBe(true);
    expect(await stored()).toBe("new");
  });

  it("stays unsettled when the store has neither", async () => {
    await cache.set("key", Buffer.from("somebody else's"), MINUTE);
    record.replace(NEW);
    expect(await record.write(MINUTE)).toBe(false);
    expect(record.isSettled).toBe(false);
  });

  it("is found when a replacement arrives between two attempts at it", async () => {
    record.replace(NEW);
    // Behind the look for the new record.
    cache.delayNext(1);
    await expect(record.write(MINUTE)).rejects.toThrow("no answer in time");
    expect(record.isSettled).toBe(false);
    await cache.arrive();
    expect(await record.write(MINUTE)).toBe(true);
    expect(record.isSettled).toBe(true);
  });

  it.each(["old", "new", undefined])("is removed whichever the store has: %s", async (found) => {
    if (found === undefined) await cache.delete("key");
    else await cache.set("key", Buffer.from(found), MINUTE);
    record.replace(NEW);
    expect(await record.remove()).toBe(found !== undefined);
    expect(await stored()).toBeUndefined();
  });
});
