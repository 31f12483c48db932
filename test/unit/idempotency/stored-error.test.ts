import { describe, expect, test } from "vitest";
import { createCodec } from "../../../src/cache/codec/codec.ts";
import { CodecError, OperationError } from "../../../src/cache/errors.ts";
import { decodeError, encodeError } from "../../../src/primitives/idempotency/stored-error.ts";

const codec = createCodec();
const replay = (error: unknown, within = codec): Error => decodeError(encodeError(error, within, codec), codec);

class StockError extends Error {
  override readonly name = "StockError";
  readonly code = "E_STOCK";
  readonly left: Map<string, bigint> = new Map([["blue", 0n]]);
  readonly request: () => void = () => {};
}

describe("an error as a result", () => {
  test("keeps name, message, code and the data in it, and says that it is replayed", () => {
    const error = replay(new StockError("sold out"));
    expect(error).toMatchObject({
      name: "StockError",
      message: "sold out",
      code: "E_STOCK",
      left: new Map([["blue", 0n]]),
      replayed: true,
    });
    expect(error).not.toHaveProperty("request");
    expect(`${error}`).toBe("StockError: sold out");
    expect(error.stack).toContain("StockError: sold out");
  });

  test("keeps causes, and the errors of an AggregateError", () => {
    const cause = Object.assign(new TypeError("deep"), { code: 7 });
    const error = replay(new AggregateError([new RangeError("a"), "b"], "both", { cause }));
    expect(error).toBeInstanceOf(AggregateError);
    expect((error as AggregateError).errors).toMatchObject([new RangeError("a"), "b"]);
    expect(error.cause).toBeInstanceOf(TypeError);
    expect(error.cause).toMatchObject({ message: "deep", code: 7 });
    expect(error.cause).not.toHaveProperty("replayed");
  });

  test("is of its class if the language has that class, otherwise recognised by name and code", () => {
    expect(replay(new SyntaxError("x"))).toBeInstanceOf(SyntaxError);
    expect(replay(new DOMException("stop", "AbortError"))).toMatchObject({ name: "AbortError", message: "stop" });
    const own = replay(new OperationError("no", { code: "ERR_CACHE_TIMEOUT", key: "k" }));
    expect(own).toMatchObject({ name: "OperationError", code: "ERR_CACHE_TIMEOUT", key: "k" });
  });

  test("ends cycles of causes", () => {
    const error = new Error("a");
    error.cause = new Error("b", { cause: error });
    expect(replay(error)).toMatchObject({ message: "a", cause: { message: "b", cause: { message: "a" } } });
  });

  test("may be something else that was thrown", () => {
    expect(replay("just text")).toMatchObject({
      message: "the handler threw just text",
      cause: "just text",
      replayed: true,
    });
    expect(replay({ status: 404 })).toMatchObject({ cause: { status: 404 }, replayed: true });
    expect(replay(undefined)).toMatchObject({ replayed: true });
    expect(replay(() => {})).toMatchObject({ replayed: true });
  });

  test("loses its data before its message when there is no room", () => {
    const small = createCodec({ maxBytes: 100 });
    const error = replay(Object.assign(new RangeError("no room"), { dump: "x".repeat(1_000) }), small);
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({ message: "no room", replayed: true });
    expect(error).not.toHaveProperty("dump");
    expect(replay(new Error("x".repeat(100_000)), small).message).toBe("x".repeat(8_192));
    expect(replay(new Error("\ud800")).message).toBe("\ufffd");
  });

  test("cannot change what an error is made of", () => {
    const data = { message: "other", stack: "other", replayed: false, ["__proto__"]: { polluted: true } };
    const error = replay(
      Object.defineProperties(new Error("real"), Object.getOwnPropertyDescriptors({ ...data, ok: 1 })),
    );
    expect(error.message).toBe("other");
    expect(error).toMatchObject({ replayed: true, ok: 1 });
    expect(error.stack).not.toBe("other");
    expect(error).not.toHaveProperty("polluted");
  });

  test.each(["constructor", "toString", "__proto__", "AggregateError"])("may be called %s", (name) => {
    const error = Object.defineProperty(new Error("named"), "name", { value: name });
    expect(replay(error)).toMatchObject({ name, message: "named", replayed: true });
  });

  test("may be something that cannot be turned into text", () => {
    const thrown = { toString: 1, constructor: { name: { toString: 1 } } };
    expect(replay(thrown)).toMatchObject({ message: "the handler threw an object", cause: thrown });
    expect(replay(Object.defineProperty(new Error("replaced"), "message", { value: thrown })).message).toBe(
      "an object",
    );
    const hidden = Object.defineProperty(new RangeError("replaced"), "message", {
      get: () => {
        throw new Error("hidden");
      },
    });
    expect(replay(hidden)).toMatchObject({ name: "RangeError", message: "unreadable" });
  });

  test("ends errors that have themselves among their errors", () => {
    const error = new AggregateError([], "again");
    error.errors = Array.from({ length: 50 }, () => error);
    expect((replay(error) as AggregateError).errors).toHaveLength(50);
  });

  test.each([
    ["text", "text"],
    ["nothing", null],
    ["no name", { message: "x" }],
    ["a message that is no text", { name: "Error", message: 1 }],
    ["data that is none", { name: "Error", message: "x", data: null }],
    ["a cause that is no error", { name: "Error", message: "x", cause: "text" }],
    ["errors that are no list", { name: "Error", message: "x", errors: {} }],
    ["errors that are none", { name: "Error", message: "x", errors: [1] }],
  ])("is not read from %s", (_what, data) => {
    expect(() => decodeError(codec.encode(data), codec)).toThrow(CodecError);
  });
});
