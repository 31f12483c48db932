import { createCodec } from "../../cache/codec/codec.ts";
import { CodecError } from "../../cache/errors.ts";
import type { Clock } from "../../runtime/clock.ts";
import { isCount, isDuration, isTime } from "./fields.ts";
import type { LeaseTiming } from "./timing.ts";

/** What makes a record somebody's, whatever else is in it. */
export interface Claim {
  /** Unique to one acquisition. A record is mine if it has my nonce. */
  readonly nonce: Uint8Array;
  /** 0 when the lease was taken without a fencing token. */
  readonly fencingToken: number;
  /** The last of the tokens reserved for this turn of the holder's process: where the fence stands. */
  readonly lastToken: number;
}

/** How the records of one kind of lease are made, written and read. */
export interface RecordFormat<R extends Claim> {
  /** The record of who claims the lease now. */
  make(claim: Claim): R;
  encode(record: R): Uint8Array;
  /** `undefined` for bytes that are no such record: somebody holds the key, but we cannot tell who. */
  decode(bytes: Uint8Array): R | undefined;
}

/**
 * What the key of a lock or a leadership holds: who has the lease. Written as
 * CBOR; the CDDL is in `docs/records.md`, so that programs in other languages
 * can join in.
 */
export interface LeaseRecord extends Claim {
  /** Who: host, process and a random part, unless the user chose a name. */
  readonly holder: string;
  /** By the holder's wall clock, in milliseconds since the epoch. */
  readonly acquiredAtMs: number;
  readonly ttlMs: number;
  /** Counts the times that the holder has replaced its record, so that no two of them are the same. Absent: 0. */
  readonly revision?: number;
  /** Whatever the caller wants others to see. */
  readonly metadata?: unknown;
}

/** The records of one holder. */
export function leaseFormat(options: {
  readonly holder: string;
  readonly metadata?: unknown;
  readonly timing: LeaseTiming;
  readonly clock: Clock;
}): RecordFormat<LeaseRecord> {
  const { holder, metadata, timing, clock } = options;
  return {
    make: ({ nonce, fencingToken, lastToken }) => ({
      nonce,
      fencingToken,
      lastToken,
      holder,
      acquiredAtMs: clock.wallMs(),
      ttlMs: timing.ttlMs,
      metadata,
    }),
    encode: encodeRecord,
    decode: decodeRecord,
  };
}

const VERSION = 1;
const MAX_RECORD_BYTES = 64 * 1024;
const MAX_METADATA_BYTES = 60 * 1024;
const codec = createCodec({ maxBytes: MAX_RECORD_BYTES });
const metadataCodec = createCodec({ maxBytes: MAX_METADATA_BYTES });

/**
 * A copy of metadata, so that what its owner does with the original changes nothing.
 *
 * @throws CodecError when it cannot be written, or in more than 60 KiB
 */
export function snapshot(metadata: unknown): unknown {
  if (metadata === undefined) return undefined;
  try {
    return metadataCodec.decode(metadataCodec.encode(metadata));
  } catch (error) {
    throw new CodecError(`metadata cannot be written into the record: ${(error as Error).message}`, { cause: error });
  }
}

/** Throws `CodecError` when the record exceeds 64 KiB. */
export function encodeRecord(record: LeaseRecord): Uint8Array {
  const { holder, nonce, fencingToken, lastToken, acquiredAtMs, ttlMs, revision, metadata } = record;
  const fields: Record<string, unknown> = {
    v: VERSION,
    holder,
    nonce,
    token: fencingToken,
    last: lastToken,
    at: acquiredAtMs,
    ttl: ttlMs,
  };
  if (revision !== undefined) fields["rev"] = revision;
  if (metadata !== undefined) fields["meta"] = metadata;
  return codec.encode(fields);
}

/** `undefined` for bytes that are no lease record: somebody holds the key, but we cannot tell who. */
export function decodeRecord(bytes: Uint8Array): LeaseRecord | undefined {
  let value: unknown;
  try {
    value = codec.decode(bytes);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { v, holder, nonce, token, last, at, ttl, rev, meta } = value as Record<string, unknown>;
  if (v !== VERSION || typeof holder !== "string" || !(nonce instanceof Uint8Array)) return undefined;
  if (!isCount(token) || !isCount(last) || !(rev === undefined || isCount(rev))) return undefined;
  if (!isTime(at) || !isDuration(ttl)) return undefined;
  return {
    holder,
    nonce,
    fencingToken: token,
    lastToken: last,
    acquiredAtMs: at,
    ttlMs: ttl,
    ...(rev === undefined ? {} : { revision: rev }),
    ...(meta === undefined ? {} : { metadata: meta }),
  };
}
