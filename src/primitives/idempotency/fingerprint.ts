import { createHash } from "node:crypto";
import { equalBytes } from "../../cache/bytes.ts";
import { createCodec } from "../../cache/codec/codec.ts";
import { CodecError } from "../../cache/errors.ts";

const canonical = createCodec({
  deterministic: true,
  maxBytes: 256 * 1024 * 1024,
  maxItems: 10_000_000,
  maxDepth: 500,
});

/**
 * SHA-256 over the deterministic CBOR encoding (RFC 8949 §4.2.1) of a value.
 *
 * Two values have the same fingerprint if they are the same data, with
 * properties, map entries and set members in any order. What a round trip
 * through the codec would tell apart is different: `1`, `1n`, `"1"` and `true`;
 * `0` and `-0`; `null`, `undefined` and a missing property; an object and a `Map`;
 * an array and a `Set`. `NaN` is itself.
 *
 * @param name of the guard, and `key` of the message if there is one: for the error
 * @throws CodecError naming the path of what has no encoding: functions, symbols,
 *   instances of classes, invalid dates, cycles
 */
export function fingerprint(value: unknown, name: string, key?: string): Uint8Array {
  try {
    return new Uint8Array(createHash("sha256").update(canonical.encode(value)).digest());
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new CodecError(
      `idempotent "${name}": the input cannot be compared with others: ${error.message}. ` +
        "Give a fingerprint option that picks the data out of it, or fingerprint: false",
      { operation: "fingerprint", cause: error, ...(key === undefined ? {} : { key }) },
    );
  }
}

/** Whether two inputs are taken for the same; so they are when one of them was not compared. */
export function sameInput(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined || equalBytes(a, b);
}
