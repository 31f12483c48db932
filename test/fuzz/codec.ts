import assert from "node:assert/strict";
import { codec, createCodec } from "../../src/cache/codec/codec.ts";
import { CodecError } from "../../src/cache/errors.ts";
import { hostileBytes } from "./hostile-cbor.ts";
import { decoding } from "./limits.ts";
import { type FuzzTarget, target } from "./target.ts";

const small = createCodec({ maxBytes: 64, maxDepth: 3, maxItems: 4 });

export const codecTarget: FuzzTarget = target({
  name: "codec",
  inputs: hostileBytes,
  outcomes: ["value", "refused"],
  runs: 3_000,
  check(bytes) {
    const decoded = orRefused(() => decoding(bytes, codec.decode));
    const within = orRefused(() => small.decode(bytes));
    if (decoded === undefined) {
      assert.equal(within, undefined, "what is refused is not accepted within narrower limits");
      return "refused";
    }
    if (within !== undefined) assert.deepEqual(within, decoded);
    assertReencodes(decoded.value);
    return "value";
  },
});

/** What was decoded can be written, and that reads as the same. */
export function assertReencodes(value: unknown): void {
  // Keys that are objects are compared as they were written, and may have been written in two ways.
  const encoded = orRefused(() => codec.encode(value), /is there twice/);
  if (encoded !== undefined) assert.deepEqual(codec.decode(encoded.value), value);
}

/** `undefined` for what is refused by a `CodecError`; any other error is thrown on. */
export function orRefused<T>(act: () => T, why: RegExp = /./s): { readonly value: T } | undefined {
  try {
    return { value: act() };
  } catch (error) {
    if (error instanceof CodecError && why.test(error.message)) return undefined;
    throw error;
  }
}
