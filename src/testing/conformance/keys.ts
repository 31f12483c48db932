import assert from "node:assert/strict";
import { keyedCalls, rejectsWith } from "./calls.ts";
import { bytes, HOUR, type Scene, uniqueKey } from "./scene.ts";
import type { Suite } from "./suite.ts";

/** Keys that must be taken as they are, each with one that must not be taken for it. */
const awkward: ReadonlyArray<readonly [string, key: string, other: string]> = [
  ["letters of many scripts", "Grüße-世界-🔑", "Gruße-世界-🔑"],
  ["composed against decomposed", "caf\u00e9", "cafe\u0301"],
  ["another case", "Key", "key"],
  ["spaces inside and around", " a b ", "a b "],
  ["line ends", "a\r\nb", "a\nb"],
  ["a zero byte", "a\0b", "a\0c"],
  ["a hash tag", "{tag}:a", "tag:a"],
  ["two hash tags", "{a}{b}", "{a}{c}"],
  ["an empty hash tag", "{}a", "a"],
  ["a lone brace", "{a", "}a"],
  ["a pattern", "a*[b]?", "ab"],
  ["a name every object has", "__proto__", "constructor"],
  ["a number", "0", "00"],
];

const badKeys: ReadonlyArray<readonly [string, unknown]> = [
  ["an empty key", ""],
  ["1,025 bytes", "k".repeat(1_025)],
  ["1,026 bytes in 342 characters", "世".repeat(342)],
  ["a lone high surrogate", "a\ud800"],
  ["a lone low surrogate", "\udc00a"],
  ["a number", 42],
  ["undefined", undefined],
  ["null", null],
  ["a Buffer", Buffer.from("key")],
  ["a String object", new String("key")],
];

export function keys(suite: Suite): void {
  suite.group("keys", () => {
    accepted(suite);
    refused(suite);
  });
}

function accepted({ test }: Suite): void {
  for (const [what, name, otherName] of awkward) {
    test(`taken as it is: ${what}`, async ({ cache, key: unique }) => {
      const [key, other] = [name + unique, otherName + unique];
      await everyOperation(cache, key);
      await cache.set(key, bytes("this"), HOUR);
      assert.equal(await cache.get(other), undefined);
      await cache.set(other, bytes("other"), HOUR);
      assert.deepEqual(await cache.get(key), bytes("this"));
    });
  }

  for (const [what, filler] of [
    ["ASCII", "k"],
    ["3-byte characters", "世"],
    ["4-byte characters", "🔑"],
  ] as const) {
    test(`a key may have 1,024 bytes: ${what}`, async ({ cache }) => {
      const start = uniqueKey();
      const room = 1_024 - Buffer.byteLength(start);
      const size = Buffer.byteLength(filler);
      const key = start + filler.repeat(Math.floor(room / size)) + "k".repeat(room % size);
      assert.equal(Buffer.byteLength(key), 1_024);
      await everyOperation(cache, key);
    });
  }

  test("keys that share their first 1,000 bytes are different keys", async ({ cache }) => {
    const start = uniqueKey().padEnd(1_000, "k");
    await cache.set(`${start}a`, bytes("a"), HOUR);
    await cache.set(`${start}b`, bytes("b"), HOUR);
    assert.deepEqual(await cache.get(`${start}a`), bytes("a"));
  });
}

function refused({ test }: Suite): void {
  for (const [what, key] of badKeys) {
    test(`refused by every operation with ERR_INVALID_KEY: ${what}`, async ({ cache }) => {
      for (const [, call] of keyedCalls) await rejectsWith("ERR_INVALID_KEY", () => call(cache, key as string));
    });
  }
}

async function everyOperation(cache: Scene["cache"], key: string): Promise<void> {
  assert.equal(await cache.get(key), undefined);
  assert.equal(await cache.compareAndSet(key, null, bytes("a"), HOUR), true);
  assert.deepEqual(await cache.getOrSet(key, bytes("x"), HOUR), { value: bytes("a"), wasSet: false });
  assert.equal(await cache.compareAndSet(key, bytes("a"), bytes("b"), HOUR), true);
  assert.equal(await cache.compareAndSet(key, bytes("b"), null), true);
  await cache.set(key, bytes("c"), HOUR);
  const unwatch = await cache.watch(key, () => {});
  await unwatch();
  assert.equal(await cache.delete(key), true);
}
