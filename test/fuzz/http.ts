import assert from "node:assert/strict";
import fc from "fast-check";
import { codec } from "../../src/cache/codec/codec.ts";
import { CodecError } from "../../src/cache/errors.ts";
import { createMemoryCache } from "../../src/cache/memory/index.ts";
import { idempotentFetch } from "../../src/http/fetch.ts";
import { readKey } from "../../src/http/key.ts";
import { idempotent } from "../../src/primitives/idempotency/idempotent.ts";
import { decodeRecord, encodeRecord } from "../../src/primitives/idempotency/record.ts";
import { FaultyCache } from "../../src/testing/faulty-cache.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { encodable } from "../support/arbitrary-values.ts";
import { hostileBytes, mangled } from "./hostile-cbor.ts";
import { type FuzzTarget, target } from "./target.ts";

const ascii = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) });
const header = fc.oneof(
  ascii,
  ascii.map((text) => `"${text}"`),
  fc.string({
    unit: fc.constantFrom('"', "\\", "a", " ", ";", "=", ",", "?", ":", "\t", "\n", "\0", "é", "\ud800"),
    maxLength: 12,
  }),
  fc.nat(300).map((length) => "k".repeat(length)),
  fc.nat(300).map((length) => `"${"\\\\".repeat(length)}"`),
  fc.constantFrom(
    '"a";',
    '"a";b',
    '"a";b=1.',
    '"a";b=(',
    '%"a"',
    ":YQ==:",
    "?1",
    "@1",
    "1.5",
    '"a"b',
    '"a" ',
    '"'.repeat(5_000),
    '"a";x'.repeat(2_000),
  ),
);

const keptFields: fc.Arbitrary<object> = fc.oneof(
  fc.record({
    status: fc.oneof({ weight: 3, arbitrary: fc.constantFrom(200, 201, 204, 404) }, encodable),
    headers: fc.oneof(
      fc.array(fc.tuple(fc.constantFrom("content-type", "x", "", "a b", "é"), fc.oneof(fc.string(), encodable)), {
        maxLength: 3,
      }),
      encodable,
    ),
    body: fc.oneof(fc.uint8Array({ maxLength: 20 }), encodable),
  }),
  fc.record({ passed: fc.oneof(fc.constantFrom("streamed", "too large"), encodable) }),
);

/** The result that a message's record has, if somebody else than this version of the guard wrote it. */
const resultBytes = fc.oneof(
  { weight: 3, arbitrary: keptFields.map((fields) => codec.encode(fields)) },
  mangled(keptFields),
  encodable.map((value) => codec.encode(value)),
  hostileBytes,
);

export const httpTargets: readonly FuzzTarget[] = [
  target({
    name: "Idempotency-Key headers",
    inputs: header,
    outcomes: ["key", "fault"],
    runs: 2_000,
    check(value) {
      const read = readKey(value);
      if ("fault" in read) return "fault";
      assert.match(read.key, /^[\x20-\x7e]{1,255}$/);
      const quoted = `"${read.key.replace(/["\\]/g, "\\$&")}"`;
      assert.deepEqual(readKey(quoted), read, "what is quoted is the same key");
      return "key";
    },
  }),
  target({
    name: "kept responses",
    inputs: resultBytes,
    outcomes: ["response", "refused"],
    runs: 200,
    async check(bytes) {
      const clock = new ManualClock();
      const cache = new FaultyCache(createMemoryCache({ clock }), { clock });
      const guarded = idempotentFetch(
        { idempotent: (handler, options) => idempotent(cache, handler, { ...options, clock }) },
        () => new Response("made"),
        { identity: false },
      );
      const send = (): Promise<Response> =>
        guarded(new Request("http://shop.example/", { method: "POST", headers: { "idempotency-key": "1" } }));
      assert.equal(await (await send()).text(), "made");
      await replaceResult(cache, bytes);
      try {
        assert((await send()) instanceof Response);
        return "response";
      } catch (error) {
        assert(error instanceof CodecError, String(error));
        return "refused";
      } finally {
        await cache.close();
      }
    },
  }),
];

/** Puts another result into the one record that there is. */
async function replaceResult(cache: FaultyCache, bytes: Uint8Array): Promise<void> {
  const key = cache.calls[0]?.key ?? "";
  const record = decodeRecord((await cache.get(key)) ?? new Uint8Array());
  assert(record?.state === "completed");
  await cache.set(key, encodeRecord({ ...record, result: { bytes } }), 60_000);
}
