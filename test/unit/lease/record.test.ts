import { describe, expect, test } from "vitest";
import { codec } from "../../../src/cache/codec/codec.ts";
import { decodeRecord, encodeRecord, type LeaseRecord } from "../../../src/primitives/lease/record.ts";

const nonce = new Uint8Array(16).fill(7);
const record: LeaseRecord = {
  holder: "host:1:a",
  nonce,
  fencingToken: 5,
  lastToken: 13,
  acquiredAtMs: 1_000.5,
  ttlMs: 30_000,
};

/** As docs/records.md describes it. */
describe("the record of a lease", () => {
  test.each<[LeaseRecord, object]>([
    [record, { v: 1, holder: "host:1:a", nonce, token: 5, last: 13, at: 1_000.5, ttl: 30_000 }],
    [
      { ...record, revision: 2, metadata: { host: "a" } },
      { v: 1, holder: "host:1:a", nonce, token: 5, last: 13, at: 1_000.5, ttl: 30_000, rev: 2, meta: { host: "a" } },
    ],
  ])("%o", (written, fields) => {
    const bytes = encodeRecord(written);
    expect(codec.decode(bytes)).toEqual(fields);
    expect(decodeRecord(bytes)).toStrictEqual(written);
  });

  test("is nothing else", () => {
    const fields = codec.decode(encodeRecord(record)) as Record<string, unknown>;
    const others = [
      "text",
      null,
      [],
      {},
      { ...fields, v: 2 },
      { ...fields, holder: 1 },
      { ...fields, nonce: "text" },
      { ...fields, token: -0, last: 0 },
      { ...fields, token: -1 },
      { ...fields, token: 1.5 },
      { ...fields, last: Number.MAX_SAFE_INTEGER + 1 },
      { ...fields, at: "now" },
      { ...fields, at: Number.NaN },
      { ...fields, ttl: Number.NaN },
      { ...fields, ttl: -1 },
      { ...fields, rev: "first" },
    ];
    for (const other of others) expect(decodeRecord(codec.encode(other)), JSON.stringify(other)).toBeUndefined();
    expect(decodeRecord(new Uint8Array())).toBeUndefined();
    expect(decodeRecord(new TextEncoder().encode("{}"))).toBeUndefined();
  });

  test("has fields of later releases ignored", () => {
    const fields = codec.decode(encodeRecord(record)) as Record<string, unknown>;
    expect(decodeRecord(codec.encode({ ...fields, later: [1] }))).toStrictEqual(record);
  });
});
