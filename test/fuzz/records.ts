import assert from "node:assert/strict";
import fc from "fast-check";
import { codec } from "../../src/cache/codec/codec.ts";
import * as message from "../../src/primitives/idempotency/record.ts";
import * as lease from "../../src/primitives/lease/record.ts";
import { encodable } from "../support/arbitrary-values.ts";
import { orRefused } from "./codec.ts";
import { hostileBytes, mangled } from "./hostile-cbor.ts";
import { decoding } from "./limits.ts";
import { type FuzzTarget, target } from "./target.ts";

/** A duration or a point in time, in milliseconds. */
const ms = fc.oneof(
  fc.nat(),
  fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, 1e300, Number.MAX_SAFE_INTEGER),
);
const count = fc.oneof(fc.nat(100), fc.maxSafeNat(), fc.constant(Number.MAX_SAFE_INTEGER));
const nonce = fc.uint8Array({ minLength: 16, maxLength: 16 });
const text = fc.string({ unit: "binary", maxLength: 40 });

const leaseRecord: fc.Arbitrary<lease.LeaseRecord> = fc.record(
  {
    nonce,
    holder: text,
    fencingToken: count,
    lastToken: count,
    acquiredAtMs: ms,
    ttlMs: ms,
    revision: count,
    // A record has at most 64 KiB.
    metadata: encodable.filter((value) => value !== undefined && codec.encode(value).length < 32_768),
  },
  { requiredKeys: ["nonce", "holder", "fencingToken", "lastToken", "acquiredAtMs", "ttlMs"], noNullPrototype: true },
);

const common = {
  nonce,
  attempt: count,
  fencingToken: fc.oneof(fc.constant(0), count),
  lastToken: count,
  startedAtMs: ms,
  fingerprint: fc.option(fc.uint8Array({ minLength: 32, maxLength: 32 }), { nil: undefined }),
};
const running: fc.Arbitrary<message.RunningRecord> = fc.record(
  { ...common, state: fc.constant("running" as const), ttlMs: ms },
  { noNullPrototype: true },
);
const finished: fc.Arbitrary<message.FinishedRecord> = fc.record(
  {
    ...common,
    state: fc.constantFrom("completed" as const, "failed" as const),
    finishedAtMs: ms,
    keptMs: fc.oneof(ms, fc.constant(Number.POSITIVE_INFINITY)),
    result: fc.oneof(
      encodable.map((value) => ({ bytes: codec.encode(value) })),
      fc.constantFrom({ omitted: "too-large" as const }, { omitted: "unencodable" as const }),
    ),
  },
  { noNullPrototype: true },
);
const messageRecord = fc.oneof<fc.Arbitrary<message.MessageRecord>[]>(running, finished);

const fieldsOf = (bytes: Uint8Array): object => codec.decode(bytes) as object;

/** Records as they are written, damaged ones, and bytes that never were one. */
export const leaseRecordBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 1, arbitrary: leaseRecord.map(lease.encodeRecord) },
  { weight: 4, arbitrary: mangled(leaseRecord.map(lease.encodeRecord).map(fieldsOf)) },
  { weight: 1, arbitrary: hostileBytes },
);
export const messageRecordBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 1, arbitrary: messageRecord.map(message.encodeRecord) },
  { weight: 4, arbitrary: mangled(messageRecord.map(message.encodeRecord).map(fieldsOf)) },
  { weight: 1, arbitrary: hostileBytes },
);

export const recordTargets: readonly FuzzTarget[] = [
  target({
    name: "lease records that were written",
    inputs: leaseRecord,
    outcomes: ["same"],
    runs: 500,
    check(record) {
      const bytes = lease.encodeRecord(record);
      assert.deepEqual(lease.decodeRecord(bytes), record);
      return staysWithMore(bytes, lease.decodeRecord);
    },
  }),
  target({
    name: "lease records",
    inputs: leaseRecordBytes,
    outcomes: ["record", "unreadable"],
    runs: 2_000,
    check(bytes) {
      const record = decoding(bytes, lease.decodeRecord);
      if (record === undefined) return "unreadable";
      assert.equal(typeof record.holder, "string");
      assertClaim(record);
      assertTimes(record.acquiredAtMs, record.ttlMs);
      return reencodes(record, lease);
    },
  }),
  target({
    name: "message records that were written",
    inputs: messageRecord,
    outcomes: ["same"],
    runs: 500,
    check(record) {
      const bytes = message.encodeRecord(record);
      assert.deepEqual(message.decodeRecord(bytes), record);
      return staysWithMore(bytes, message.decodeRecord);
    },
  }),
  target({
    name: "message records",
    inputs: messageRecordBytes,
    outcomes: ["running", "completed", "failed", "unreadable"],
    runs: 2_000,
    check(bytes) {
      const record = decoding(bytes, message.decodeRecord);
      if (record === undefined) return "unreadable";
      assertClaim(record);
      assert(Number.isSafeInteger(record.attempt) && record.attempt >= 0);
      assertTimes(record.startedAtMs, record.state === "running" ? record.ttlMs : record.keptMs);
      if (record.state !== "running") assertTimes(record.finishedAtMs, 0);
      reencodes(record, message);
      return record.state;
    },
  }),
];

/** A reader knows nothing of the fields that a later release may add, and nothing of another version. */
function staysWithMore<R>(bytes: Uint8Array, decode: (bytes: Uint8Array) => R | undefined): string {
  const fields = fieldsOf(bytes);
  assert.deepEqual(decode(codec.encode({ added: [1, { deep: true }], ...fields, later: new Date(0) })), decode(bytes));
  assert.equal(decode(codec.encode({ ...fields, v: 2 })), undefined);
  return "same";
}

function assertClaim({ nonce, fencingToken, lastToken }: lease.Claim): void {
  assert(nonce instanceof Uint8Array);
  for (const token of [fencingToken, lastToken]) assert(Number.isSafeInteger(token) && token >= 0, `token ${token}`);
}

/** Waits and retries are computed from them. */
function assertTimes(atMs: number, durationMs: number): void {
  assert(typeof atMs === "number" && Number.isFinite(atMs), `a time of ${atMs}`);
  assert(typeof durationMs === "number" && durationMs >= 0, `a duration of ${durationMs}`);
}

function reencodes<R>(
  record: R,
  {
    encodeRecord,
    decodeRecord,
  }: { encodeRecord(record: R): Uint8Array; decodeRecord(bytes: Uint8Array): R | undefined },
): string {
  const encoded = orRefused(() => encodeRecord(record), /is there twice/);
  if (encoded !== undefined) assert.deepEqual(decodeRecord(encoded.value), record);
  return "record";
}
