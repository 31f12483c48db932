import assert from "node:assert/strict";
import { writeCalls } from "./calls.ts";
import { bytes, HOUR } from "./scene.ts";
import type { Suite } from "./suite.ts";

const everyByte = Uint8Array.from({ length: 256 }, (_, i) => i);

/** Values that a store which thinks of text, of C strings or of "falsy" would spoil. */
const awkward: ReadonlyArray<readonly [string, Uint8Array]> = [
  ["no bytes at all", bytes([])],
  ["one zero byte", bytes([0])],
  ["every byte value", everyByte],
  ["invalid UTF-8", bytes([0xc3, 0x28, 0xff, 0xfe, 0xed, 0xa0, 0x80])],
  ["line ends", bytes("\r\n$-1\r\n*0\r\n")],
  ["text that looks like a number", bytes("0")],
];

export function values(suite: Suite): void {
  suite.group("values", () => {
    reading(suite);
    writing(suite);
    contents(suite);
    copies(suite);
  });
}

function reading({ test }: Suite): void {
  test("get of a key that was never written is undefined", async ({ cache, key }) => {
    assert.equal(await cache.get(key), undefined);
  });

  test("get gives what set has stored, to every client", async (scene) => {
    await scene.cache.set(scene.key, bytes("a"), HOUR);
    assert.deepEqual(await scene.cache.get(scene.key), bytes("a"));
    assert.deepEqual(await (await scene.open()).get(scene.key), bytes("a"));
  });
}

function writing({ test }: Suite): void {
  test("set overwrites whatever was there", async ({ cache, key }) => {
    await cache.set(key, bytes("a long first value"), HOUR);
    assert.equal(await cache.set(key, bytes("b"), HOUR), undefined);
    assert.deepEqual(await cache.get(key), bytes("b"));
  });

  test("delete tells whether something was there; absent is no error", async ({ cache, key }) => {
    assert.equal(await cache.delete(key), false);
    await cache.set(key, bytes([]), HOUR);
    assert.equal(await cache.delete(key), true);
    assert.equal(await cache.delete(key), false);
    assert.equal(await cache.get(key), undefined);
  });

  test("getOrSet stores into an absent key", async ({ cache, key }) => {
    assert.deepEqual(await cache.getOrSet(key, bytes("a"), HOUR), { value: bytes("a"), wasSet: true });
    assert.deepEqual(await cache.get(key), bytes("a"));
  });

  test("getOrSet leaves an existing value alone and gives it", async ({ cache, key }) => {
    await cache.set(key, bytes("a"), HOUR);
    assert.deepEqual(await cache.getOrSet(key, bytes("b"), HOUR), { value: bytes("a"), wasSet: false });
    assert.deepEqual(await cache.get(key), bytes("a"));
  });

  test("getOrSet takes empty bytes for a value, not for absence", async ({ cache, key }) => {
    assert.deepEqual(await cache.getOrSet(key, bytes([]), HOUR), { value: bytes([]), wasSet: true });
    assert.deepEqual(await cache.getOrSet(key, bytes("b"), HOUR), { value: bytes([]), wasSet: false });
  });

  test("of many concurrent getOrSet, one sets and all get its value", async (scene) => {
    const clients = await scene.clients(4);
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        (clients[i % 4] as (typeof clients)[number]).getOrSet(scene.key, bytes([i]), HOUR),
      ),
    );
    const winners = results.filter((result) => result.wasSet);
    assert.equal(winners.length, 1);
    for (const result of results) assert.deepEqual(result.value, winners[0]?.value);
  });
}

function contents({ test, backend }: Suite): void {
  for (const [what, value] of awkward) {
    test(`${what}: stored and found unchanged`, async ({ cache, key }) => {
      await cache.set(key, value, HOUR);
      assert.deepEqual(await cache.get(key), value);
      assert.deepEqual(await cache.getOrSet(key, bytes("other"), HOUR), { value, wasSet: false });
    });
  }

  test("a value of maxValueBytes is stored", async ({ cache, key }) => {
    const largest = Uint8Array.from({ length: backend.maxValueBytes ?? 1024 * 1024 }, (_, i) => i * 31);
    await cache.set(key, largest, HOUR);
    const found = (await cache.get(key)) ?? bytes([]);
    assert.equal(Buffer.compare(found, largest), 0);
  });

  for (const [operation, write] of writeCalls) {
    test(`${operation} accepts a Buffer, and a view of a part of a larger one`, async ({ cache, key }) => {
      await write(cache, `${key}:buffer`, Buffer.from("buffer"), HOUR);
      await write(cache, `${key}:view`, bytes("before-view-after").subarray(7, 11), HOUR);
      assert.deepEqual(await cache.get(`${key}:buffer`), bytes("buffer"));
      assert.deepEqual(await cache.get(`${key}:view`), bytes("view"));
    });
  }
}

function copies({ test }: Suite): void {
  for (const [operation, write] of writeCalls) {
    test(`${operation} copies: changing the array right after the call changes nothing`, async ({ cache, key }) => {
      const value = bytes("original");
      const written = write(cache, key, value, HOUR);
      value.fill(0);
      await written;
      assert.deepEqual(await cache.get(key), bytes("original"));
    });
  }

  test("compareAndSet copies what it expects, too", async ({ cache, key }) => {
    await cache.set(key, bytes("original"), HOUR);
    const [expected, next] = [bytes("original"), bytes("next")];
    const swapped = cache.compareAndSet(key, expected, next, HOUR);
    expected.fill(0);
    next.fill(0);
    assert.equal(await swapped, true);
    assert.deepEqual(await cache.get(key), bytes("next"));
  });

  test("getOrSet gives what it stored, even when the caller's array has changed since", async ({ cache, key }) => {
    const value = bytes("original");
    const result = cache.getOrSet(key, value, HOUR);
    value.fill(0);
    assert.deepEqual(await result, { value: bytes("original"), wasSet: true });
  });

  test("changing a result changes nothing stored and no other result", async ({ cache, key }) => {
    (await cache.getOrSet(key, bytes("original"), HOUR)).value.fill(0);
    (await cache.get(key))?.fill(0);
    (await cache.getOrSet(key, bytes("other"), HOUR)).value.fill(0);
    const [one, two] = await Promise.all([cache.get(key), cache.get(key)]);
    one?.fill(0);
    assert.deepEqual(two, bytes("original"));
  });

  test("results are plain Uint8Arrays that own their memory", async ({ cache, key }) => {
    await cache.set(key, Buffer.from("value"), HOUR);
    const results = [await cache.get(key), (await cache.getOrSet(key, Buffer.from("other"), HOUR)).value];
    results.push((await cache.getOrSet(`${key}:new`, Buffer.from("value"), HOUR)).value);
    for (const result of results) {
      assert.ok(result);
      assert.equal(Object.getPrototypeOf(result), Uint8Array.prototype);
      // Otherwise handing it to a worker would take a pool of other values along.
      assert.equal(result.buffer.byteLength, result.byteLength);
    }
  });
}
