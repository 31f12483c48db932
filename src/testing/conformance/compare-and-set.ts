import assert from "node:assert/strict";
import type { Cache } from "../../cache/contract.ts";
import { bytes, HOUR } from "./scene.ts";
import type { Suite } from "./suite.ts";

const binary = bytes([0, 1, 0, 0xff, 0xc3, 0x28, 13, 10, 0]);

/** Pairs that a comparison of anything but all bytes would take for equal. */
const nearMisses: ReadonlyArray<readonly [string, stored: Uint8Array, expected: Uint8Array]> = [
  ["a prefix", bytes("value"), bytes("val")],
  ["a longer one with the same start", bytes("value"), bytes("values")],
  ["another case", bytes("value"), bytes("Value")],
  ["empty against some", bytes("value"), bytes([])],
  ["some against empty", bytes([]), bytes([0])],
  ["one zero byte more", bytes([1, 0]), bytes([1, 0, 0])],
  ["a difference after a zero byte", bytes([1, 0, 2]), bytes([1, 0, 3])],
  ["two ways of being invalid UTF-8", bytes([0xff]), bytes([0xfe])],
  ["the same number, written otherwise", bytes("10"), bytes("1e1")],
  ["the same text, normalised otherwise", bytes("\u00e9"), bytes("e\u0301")],
];

export function compareAndSet(suite: Suite): void {
  suite.group("compareAndSet", () => {
    transitions(suite);
    exactBytes(suite);
    races(suite);
  });
}

function transitions({ test }: Suite): void {
  test("null → value creates an absent key, and only an absent one", async ({ cache, key }) => {
    assert.equal(await cache.compareAndSet(key, null, bytes("a"), HOUR), true);
    assert.equal(await cache.compareAndSet(key, null, bytes("b"), HOUR), false);
    assert.deepEqual(await cache.get(key), bytes("a"));
  });

  test("null → empty bytes creates a value; null no longer matches it", async ({ cache, key }) => {
    assert.equal(await cache.compareAndSet(key, null, bytes([]), HOUR), true);
    assert.deepEqual(await cache.get(key), bytes([]));
    assert.equal(await cache.compareAndSet(key, null, bytes("a"), HOUR), false);
    assert.equal(await cache.compareAndSet(key, bytes([]), bytes("a"), HOUR), true);
    assert.deepEqual(await cache.get(key), bytes("a"));
  });

  test("empty bytes do not match an absent key", async ({ cache, key }) => {
    assert.equal(await cache.compareAndSet(key, bytes([]), bytes("a"), HOUR), false);
    assert.equal(await cache.compareAndSet(key, bytes([]), null), false);
    assert.equal(await cache.get(key), undefined);
  });

  test("value → value replaces the expected one, and no other", async ({ cache, key }) => {
    await cache.set(key, bytes("a"), HOUR);
    assert.equal(await cache.compareAndSet(key, bytes("x"), bytes("b"), HOUR), false);
    assert.deepEqual(await cache.get(key), bytes("a"));
    assert.equal(await cache.compareAndSet(key, bytes("a"), bytes("b"), HOUR), true);
    assert.deepEqual(await cache.get(key), bytes("b"));
  });

  test("value → value on an absent key is false and creates nothing", async ({ cache, key }) => {
    assert.equal(await cache.compareAndSet(key, bytes("a"), bytes("b"), HOUR), false);
    assert.equal(await cache.get(key), undefined);
  });

  test("value → same value is true while it is there", async ({ cache, key }) => {
    await cache.set(key, bytes("a"), HOUR);
    assert.equal(await cache.compareAndSet(key, bytes("a"), bytes("a"), HOUR), true);
    assert.deepEqual(await cache.get(key), bytes("a"));
  });

  test("value → null deletes the expected one, and no other; no TTL is needed", async ({ cache, key }) => {
    await cache.set(key, bytes("a"), HOUR);
    assert.equal(await cache.compareAndSet(key, bytes("x"), null), false);
    assert.deepEqual(await cache.get(key), bytes("a"));
    assert.equal(await cache.compareAndSet(key, bytes("a"), null), true);
    assert.equal(await cache.get(key), undefined);
    assert.equal(await cache.compareAndSet(key, bytes("a"), null), false);
  });

  test("announce: none changes nothing but the announcement", async ({ cache, key }) => {
    const quietly = { announce: "none" } as const;
    assert.equal(await cache.compareAndSet(key, null, bytes("a"), HOUR, quietly), true);
    assert.equal(await cache.compareAndSet(key, bytes("x"), bytes("b"), HOUR, quietly), false);
    assert.equal(await cache.compareAndSet(key, bytes("a"), bytes("b"), HOUR, quietly), true);
    assert.deepEqual(await cache.get(key), bytes("b"));
    assert.equal(await cache.compareAndSet(key, bytes("b"), null, undefined, quietly), true);
    assert.equal(await cache.get(key), undefined);
  });
}

function exactBytes({ test }: Suite): void {
  for (const [what, stored, expected] of nearMisses) {
    test(`compares byte for byte: ${what}`, async ({ cache, key }) => {
      await cache.set(key, stored, HOUR);
      assert.equal(await cache.compareAndSet(key, expected, bytes("next"), HOUR), false);
      assert.equal(await cache.compareAndSet(key, expected, null), false);
      assert.deepEqual(await cache.get(key), stored);
      assert.equal(await cache.compareAndSet(key, stored, expected, HOUR), true);
      assert.deepEqual(await cache.get(key), expected);
    });
  }

  test("binary values go all the way: create, renew, replace, delete", async ({ cache, key }) => {
    const next = Uint8Array.from(binary).reverse();
    assert.equal(await cache.compareAndSet(key, null, binary, HOUR), true);
    assert.equal(await cache.compareAndSet(key, binary, binary, HOUR), true);
    assert.equal(await cache.compareAndSet(key, binary, next, HOUR), true);
    assert.deepEqual(await cache.get(key), next);
    assert.equal(await cache.compareAndSet(key, next, null), true);
  });
}

function races({ test }: Suite): void {
  test("of many concurrent creations one wins, and its value stays", async (scene) => {
    const clients = await scene.clients(4);
    const attempts = Array.from({ length: 20 }, (_, i) => ({ client: clients[i % 4] as Cache, value: bytes([i]) }));
    const won = await Promise.all(
      attempts.map(({ client, value }) => client.compareAndSet(scene.key, null, value, HOUR)),
    );
    assert.equal(won.filter(Boolean).length, 1);
    assert.deepEqual(await scene.cache.get(scene.key), attempts[won.indexOf(true)]?.value);
  });

  test("of many concurrent deletions of one value one wins", async (scene) => {
    await scene.cache.set(scene.key, bytes("a"), HOUR);
    const clients = await scene.clients(4);
    const won = await Promise.all(clients.map((client) => client.compareAndSet(scene.key, bytes("a"), null)));
    assert.equal(won.filter(Boolean).length, 1);
  });

  test("concurrent read-modify-write loses no update", async (scene) => {
    const clients = await scene.clients(4);
    await scene.cache.set(scene.key, bytes([0]), HOUR);
    const added = await Promise.all(clients.map((client) => incrementOften(client, scene.key)));
    const sum = added.reduce((total, count) => total + count);
    assert.ok(sum > 0);
    assert.deepEqual(await scene.cache.get(scene.key), bytes([sum]));
  });
}

/** Tries to add one, 20 times; gives how often it succeeded. */
async function incrementOften(client: Cache, key: string): Promise<number> {
  let added = 0;
  for (let attempt = 0; attempt < 20; attempt++) {
    const old = await client.get(key);
    assert.ok(old);
    if (await client.compareAndSet(key, old, bytes([(old[0] ?? 0) + 1]), HOUR)) added += 1;
  }
  return added;
}
