import { checkOneOf, checkOptions } from "../choices.ts";
import { decode } from "./decode.ts";
import { Encoder } from "./encode.ts";
import { type CodecOptions, checkLimits } from "./limits.ts";

/** Turns values into bytes and back. What survives, and how it is written, is a table in docs/codec.md. */
export interface Codec {
  /**
   * The CBOR encoding of `value`. The same value gives the same bytes, as long
   * as its keys were added in the same order or the codec is `deterministic`.
   *
   * @throws {CodecError} naming the path, for what has no encoding (functions,
   *   symbols, instances of classes, invalid dates, cycles) or exceeds a limit
   */
  encode(value: unknown): Uint8Array;

  /**
   * The value that exactly one well-formed CBOR item, and nothing after it,
   * stands for. The result shares no memory with `bytes`.
   *
   * @throws {CodecError} with the offset of the fault, for everything else
   */
  decode(bytes: Uint8Array): unknown;
}

/**
 * A codec for CBOR (RFC 8949) that other languages can read: preferred
 * serialization, registered tags only, no library's private records.
 *
 * The limits hold for this object alone and in both directions, so that what
 * was encoded can be decoded. Each length that a foreign item claims is compared
 * with the limits and with the bytes that are left before anything is made for
 * it. Whatever the input, decoding ends with a value or a `CodecError`, after one
 * pass over the bytes.
 *
 * Why no library does this: in cbor-x, what `addExtension` and `setSizeLimits`
 * were given by anybody in the process decides how `Date`, `Set`, byte strings
 * and tags are written and read, whichever encoder object is used. It also
 * decodes duplicate keys, ill-formed UTF-8 and its private tags in silence, so it
 * would need a validator in front that walks every byte, which is the larger
 * half of a decoder; and it writes -0 as 0 and a lone surrogate as bytes that are
 * no UTF-8. The tests keep it as the other implementation to agree with.
 *
 * @throws {ConfigError} when a limit is not a whole number within its range
 */
export function createCodec(options: CodecOptions = {}): Codec {
  checkOptions(options, "createCodec");
  const { deterministic = false } = options;
  const checked = checkLimits(options);
  const encoder = new Encoder(checked, checkOneOf(deterministic, "deterministic", [true, false]));
  return {
    encode: (value) => encoder.encode(value),
    decode: (bytes) => decode(bytes, checked),
  };
}

/** The codec with the default limits. */
export const codec: Codec = createCodec();
