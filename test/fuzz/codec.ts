import assert from "node:assert/strict";
import { codec, createCodec } from "../../src/cache/codec/codec.ts";
import { CodecError } from "../../src/cache/errors.ts";
import { hostileBytes, refusedBytes } from "./hostile-cbor.ts";
import { decoding } from "./limits.ts";
import { type FuzzTarget, target } from "./target.ts";

const small = createCodec({ maxBytes: 64, maxDepth: 3, maxItems: 4 });

export const refusalTarget: FuzzTarget = target({
  name: "codec: what must be refused",
  inputs: refusedBytes,
  outcomes: ["refused"],
  runs: 1_000,
  check(bytes) {
    assert.equal(
      orRefused(() => decoding(bytes, codec.decode)),
      undefined,
    );
    return "refused";
  },
});

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
    const justDeepEnough = createCodec({ maxDepth: Math.max(1, depthOf(decoded.value)) });
    assert.deepEqual(justDeepEnough.decode(bytes), decoded.value);
    assertReencodes(decoded.value);
    return "value";
  },
});

/** How many containers are inside each other. */
function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array || value instanceof Date) return 0;
  const parts = value instanceof Map ? [...value.keys(), ...value.values()] : [...partsOf(value)];
  return 1 + Math.max(0, ...parts.map(depthOf));
}

function partsOf(value: object): Iterable<unknown> {
  return value instanceof Set ? value : Object.values(value);
}

/** What was decoded can be written, and that reads as the same. */
function assertReencodes(value: unknown): void {
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
