/**
 * What a typed key holds.
 *
 * - A value that was set: the value, encoded.
 * - A value, or the absence of one, that was computed: a record with the time
 *   until which it is fresh, since it may stay in the store for longer. The
 *   record begins with the tag of self-described CBOR (RFC 8949, 3.4.6), which
 *   the codec writes nowhere else; other readers of CBOR skip it.
 */

import type { Codec } from "../cache/codec/codec.ts";

export interface Entry {
  /** `undefined`: it was computed that there is none. */
  readonly value: unknown;
  /** By the wall clock, in milliseconds since the epoch; `Infinity`: as long as it is there. */
  readonly freshUntilMs: number;
  /** A later computation has failed: none is tried before this time. */
  readonly retryAtMs?: number;
}

const SELF_DESCRIBED = Uint8Array.of(0xd9, 0xd9, 0xf7);
const VERSION = 1;

export function encodeComputed({ value, freshUntilMs, retryAtMs }: Entry, codec: Codec): Uint8Array {
  const record = codec.encode({
    v: VERSION,
    fresh: freshUntilMs,
    ...(retryAtMs === undefined ? {} : { retry: retryAtMs }),
    ...(value === undefined ? {} : { value }),
  });
  const bytes = new Uint8Array(SELF_DESCRIBED.length + record.length);
  bytes.set(SELF_DESCRIBED);
  bytes.set(record, SELF_DESCRIBED.length);
  return bytes;
}

/** @throws CodecError */
export function decodeEntry(bytes: Uint8Array, codec: Codec): Entry {
  if (!SELF_DESCRIBED.every((byte, index) => bytes[index] === byte)) return plain(codec.decode(bytes));
  const decoded = codec.decode(bytes.subarray(SELF_DESCRIBED.length));
  if (typeof decoded !== "object" || decoded === null) return plain(decoded);
  const { v, fresh, retry, value } = decoded as Record<string, unknown>;
  // Somebody else's program may write self-described values.
  if (v !== VERSION || !isTime(fresh)) return plain(decoded);
  return { value, freshUntilMs: fresh, ...(isTime(retry) ? { retryAtMs: retry } : {}) };
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && !Number.isNaN(value);
}

function plain(value: unknown): Entry {
  return { value, freshUntilMs: Number.POSITIVE_INFINITY };
}
