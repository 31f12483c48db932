import { describe, expect, test } from "vitest";
import { codec } from "../../../src/cache/codec/codec.ts";
import { decodeRecord, encodeRecord, type MessageRecord } from "../../../src/primitives/idempotency/record.ts";

const nonce = new Uint8Array(16).fill(7);
const common = { nonce, attempt: 2, fencingToken: 0, lastToken: 0, fingerprint: undefined, startedAtMs: 1_000 };
const running: MessageRecord = { ...common, state: "running", ttlMs: 30_000 };
const finished = { ...common, finishedAtMs: 2_000, keptMs: Number.POSITIVE_INFINITY } as const;

test("the record around a result has at most 256 bytes", () => {
  const most = Number.MAX_SAFE_INTEGER;
  const bytes = new Uint8Array(1024 * 1024);
  const record = encodeRecord({
    nonce,
    state: "completed",
    attempt: most,
    fencingToken: most,
    lastToken: most,
    fingerprint: new Uint8Array(32),
    startedAtMs: most - 0.5,
    finishedAtMs: most - 0.5,
    keptMs: most - 0.5,
    result: { bytes },
  });
  expect(record.length - bytes.length).toBeLessThanOrEqual(256);
});

/** As docs/records.md describes them. */
describe("the record of a message", () => {
  test.each<[MessageRecord, object]>([
    [running, { v: 1, state: "running", nonce, attempt: 2, at: 1_000, ttl: 30_000 }],
    [
      { ...running, fencingToken: 5, lastToken: 13, fingerprint: nonce },
      { v: 1, state: "running", nonce, attempt: 2, token: 5, last: 13, print: nonce, at: 1_000, ttl: 30_000 },
    ],
    [
      { ...finished, state: "completed", result: { bytes: codec.encode("done") } },
      {
        v: 1,
        state: "completed",
        nonce,
        attempt: 2,
        at: 1_000,
        end: 2_000,
        keep: Number.POSITIVE_INFINITY,
        result: codec.encode("done"),
      },
    ],
    [
      { ...finished, state: "failed", result: { omitted: "too-large" } },
      {
        v: 1,
        state: "failed",
        nonce,
        attempt: 2,
        at: 1_000,
        end: 2_000,
        keep: Number.POSITIVE_INFINITY,
        omitted: "too-large",
      },
    ],
  ])("%o", (record, fields) => {
    const bytes = encodeRecord(record);
    expect(codec.decode(bytes)).toEqual(fields);
    expect(decodeRecord(bytes)).toEqual(record);
  });

  test("is nothing else", () => {
    const fields = codec.decode(encodeRecord(running)) as Record<string, unknown>;
    const others = [
      "text",
      null,
      [],
      {},
      { ...fields, v: 2 },
      { ...fields, state: "paused" },
      { ...fields, state: "completed" },
      { ...fields, nonce: "text" },
      { ...fields, attempt: -1 },
      { ...fields, attempt: 1.5 },
      { ...fields, print: "text" },
      { ...fields, token: -0, last: 0 },
      { ...fields, token: -1, last: 0 },
      { ...fields, at: "now" },
      { ...fields, at: Number.NaN },
      { ...fields, ttl: undefined },
      { ...fields, ttl: Number.NaN },
      { ...fields, ttl: -1 },
      { ...fields, state: "completed", end: 1, keep: 1, omitted: "lost" },
      { ...fields, state: "completed", end: Number.NaN, keep: 1, omitted: "too-large" },
      { ...fields, state: "completed", end: 1, keep: Number.NaN, omitted: "too-large" },
    ];
    for (const other of others) expect(decodeRecord(codec.encode(other)), JSON.stringify(other)).toBeUndefined();
    expect(decodeRecord(new Uint8Array())).toBeUndefined();
    expect(decodeRecord(new TextEncoder().encode("{}"))).toBeUndefined();
  });

  test("has fields of later releases ignored", () => {
    const fields = codec.decode(encodeRecord(running)) as Record<string, unknown>;
    expect(decodeRecord(codec.encode({ ...fields, later: [1] }))).toEqual(running);
  });
});
