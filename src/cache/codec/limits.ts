import { DEFAULT_MAX_VALUE_BYTES, describe } from "../checks.ts";
import { ConfigError } from "../errors.ts";

/** How much a codec encodes or decodes at most. */
export interface CodecLimits {
  /** Length of a whole encoding, in bytes. Default 1 MiB, like `maxValueBytes`; at most 256 MiB. */
  readonly maxBytes?: number | undefined;

  /**
   * Arrays, maps and sets inside each other. Default 64: records nest below ten
   * deep, and other CBOR decoders stop between 16 and 128. At most 500, because
   * each level is a call on the stack.
   */
  readonly maxDepth?: number | undefined;

  /** Elements of one array or set, pairs of one map. Default 10,000; at most 10,000,000. */
  readonly maxItems?: number | undefined;
}

export interface CodecOptions extends CodecLimits {
  /**
   * Encodes equal data as equal bytes, whatever the order in which properties,
   * map entries and set members were added: sorted by their encodings, which is
   * the deterministic encoding of RFC 8949 §4.2.1. Default `false`.
   */
  readonly deterministic?: boolean | undefined;
}

export interface CheckedLimits {
  readonly maxBytes: number;
  readonly maxDepth: number;
  readonly maxItems: number;
}

const DEFAULTS: CheckedLimits = { maxBytes: DEFAULT_MAX_VALUE_BYTES, maxDepth: 64, maxItems: 10_000 };
const CEILINGS: CheckedLimits = { maxBytes: 256 * 1024 * 1024, maxDepth: 500, maxItems: 10_000_000 };

/**
 * The largest magnitude of a big integer, in bytes. Not an option: what costs
 * is not to read a longer one but to calculate with it afterwards.
 */
export const MAX_BIGNUM_BYTES = 8_192;

export function checkLimits(limits: CodecLimits): CheckedLimits {
  return {
    maxBytes: checkLimit("maxBytes", limits),
    maxDepth: checkLimit("maxDepth", limits),
    maxItems: checkLimit("maxItems", limits),
  };
}

function checkLimit(name: keyof CodecLimits, limits: CodecLimits): number {
  const { [name]: limit = DEFAULTS[name] } = limits;
  if (Number.isInteger(limit) && limit >= 1 && limit <= CEILINGS[name]) return limit;
  throw new ConfigError(
    `createCodec: ${name} is ${describe(limit)}; it must be a whole number from 1 to ${CEILINGS[name]}`,
  );
}
