import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeToken, encodeToken } from "../../src/primitives/lease/fence.ts";
import { damage } from "../support/arbitrary-cbor.ts";
import { decoding } from "./limits.ts";
import { type FuzzTarget, target } from "./target.ts";

const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, "latin1"));

const digits = fc.oneof(
  fc.maxSafeNat().map(String),
  fc.bigInt({ min: 0n, max: 10n ** 20n }).map(String),
  fc.constantFrom(
    "",
    "0",
    "-1",
    "+1",
    "1.5",
    "1e3",
    "0x10",
    " 1",
    "1\n",
    "9007199254740991",
    "9007199254740992",
    "NaN",
  ),
  fc.tuple(fc.nat(12), fc.maxSafeNat()).map(([zeros, value]) => "0".repeat(zeros) + value),
);

/** What may be found under the key of a fence or a gate. */
export const tokenBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  digits.map(text),
  damage(digits.map(text)),
  fc.uint8Array({ maxLength: 24 }),
);

export const tokenTarget: FuzzTarget = target({
  name: "fencing tokens",
  inputs: tokenBytes,
  outcomes: ["token", "none"],
  runs: 2_000,
  check(bytes) {
    const token = decoding(bytes, decodeToken);
    assert(Number.isSafeInteger(token) && token >= 0);
    assert.equal(decodeToken(encodeToken(token)), token);
    if (token === 0) return "none";
    assert.match(Buffer.from(bytes).toString("latin1"), /^\d{1,16}$/);
    return "token";
  },
});
