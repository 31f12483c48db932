import assert from "node:assert/strict";
import { inspect } from "node:util";
import fc from "fast-check";
import { codec } from "../../src/cache/codec/codec.ts";
import { CodecError } from "../../src/cache/errors.ts";
import { IdempotencyResultError } from "../../src/primitives/idempotency/errors.ts";
import type { FinishedRecord, StoredResult } from "../../src/primitives/idempotency/record.ts";
import { replay, resultCodec, storeError } from "../../src/primitives/idempotency/result.ts";
import { isReplayed } from "../../src/primitives/idempotency/stored-error.ts";
import { encodable } from "../support/arbitrary-values.ts";
import { hostileBytes, mangled } from "./hostile-cbor.ts";
import { decoding } from "./limits.ts";
import { type FuzzTarget, target } from "./target.ts";

const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.constantFrom(
    "Error",
    "TypeError",
    "RangeError",
    "AggregateError",
    "constructor",
    "toString",
    "__proto__",
    "\ud800",
  ),
);

interface Fields {
  readonly name: unknown;
  readonly message: unknown;
  readonly data?: unknown;
  readonly cause?: unknown;
  readonly errors?: unknown;
}

/** An error as it is kept, as far as its fields go. */
const errorFields: fc.Arbitrary<Fields> = fc.letrec<{ error: Fields; thrown: object }>((tie) => ({
  error: fc.record(
    {
      name: fc.oneof({ weight: 5, arbitrary: anyText.map((text) => text.toWellFormed()) }, encodable),
      message: fc.oneof({ weight: 5, arbitrary: fc.string() }, encodable),
      data: fc.oneof(
        { weight: 3, arbitrary: fc.dictionary(fc.string(), encodable, { noNullPrototype: true }) },
        encodable,
      ),
      cause: fc.oneof({ maxDepth: 3 }, encodable, tie("error"), tie("thrown")),
      errors: fc.oneof({ maxDepth: 3 }, fc.array(tie("error"), { maxLength: 3 }), encodable),
    },
    { requiredKeys: ["name", "message"], noNullPrototype: true },
  ),
  thrown: encodable.map((thrown) => ({ thrown })),
})).error;

const errorBytes = fc.oneof(
  { weight: 3, arbitrary: errorFields.filter(isEncodable).map((fields) => codec.encode(fields)) },
  { weight: 2, arbitrary: mangled(errorFields.filter(isEncodable)) },
  { weight: 1, arbitrary: encodable.map((thrown) => codec.encode({ thrown })) },
  { weight: 1, arbitrary: hostileBytes },
);

function isEncodable(value: unknown): boolean {
  try {
    return codec.encode(value).length > 0;
  } catch {
    return false;
  }
}

/** What a handler may throw, the unpleasant included. */
const thrown: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 2, arbitrary: encodable },
  fc.constantFrom(
    Symbol("thrown"),
    () => {},
    Object.create(null),
    { toString: 1 },
    10n ** 30n,
    new (class Own {})(),
    hostileError(),
  ),
  { weight: 5, arbitrary: errorFields.map(asError) },
);

/** An error that does not even let itself be looked at. */
function hostileError(): Error {
  const fail = (): never => {
    throw new TypeError("not this one");
  };
  const property = { get: fail, enumerable: true };
  return Object.defineProperties(new Error("replaced"), { message: property, cause: property, code: property });
}

function asError({ name, message, data, cause, errors }: Fields): Error {
  const error = Array.isArray(errors) ? new AggregateError(errors, "replaced") : new Error("replaced", { cause });
  const own = typeof data === "object" && data !== null ? data : {};
  for (const [property, value] of Object.entries({ ...own, name, message })) {
    Object.defineProperty(error, property, { value, enumerable: true, configurable: true });
  }
  return error;
}

const record = (state: "completed" | "failed", result: StoredResult): FinishedRecord => ({
  state,
  result,
  nonce: new Uint8Array(16),
  attempt: 1,
  fencingToken: 0,
  lastToken: 0,
  fingerprint: undefined,
  startedAtMs: 0,
  finishedAtMs: 0,
  keptMs: 1,
});

export const resultTargets: readonly FuzzTarget[] = [
  target({
    name: "stored errors",
    inputs: errorBytes,
    outcomes: ["error", "refused"],
    runs: 1_000,
    check(bytes) {
      const error = decoding(bytes, () => errorOf(() => replay(record("failed", { bytes }), "ship", "1")));
      if (error instanceof CodecError && !isReplayed(error)) return "refused";
      assert(error instanceof Error && isReplayed(error), `threw ${inspect(error)}`);
      return "error";
    },
  }),
  target({
    name: "errors that were stored",
    inputs: thrown,
    outcomes: ["error", "other"],
    runs: 1_000,
    check(original) {
      const result = storeError(original, resultCodec(1024 * 1024));
      const replayed = errorOf(() => replay(record("failed", result), "ship", "1"));
      assert(replayed instanceof Error && isReplayed(replayed), `threw ${inspect(replayed)}`);
      if (!(original instanceof Error)) return "other";
      for (const property of ["name", "message"] as const) {
        const value: unknown = Object.getOwnPropertyDescriptor(original, property)?.value;
        if (typeof value === "string") assert.equal(replayed[property], value.toWellFormed());
      }
      return "error";
    },
  }),
  target({
    name: "stored values",
    inputs: hostileBytes,
    outcomes: ["value", "refused"],
    runs: 500,
    check(bytes) {
      try {
        decoding(bytes, () => replay(record("completed", { bytes }), "ship", "1"));
        return "value";
      } catch (error) {
        assert(error instanceof CodecError || error instanceof IdempotencyResultError, `threw ${inspect(error)}`);
        return "refused";
      }
    },
  }),
];

function errorOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error("it threw nothing");
}
