import fc from "fast-check";
import { describe, expect, expectTypeOf, it } from "vitest";
import { ConfigError, InvalidTtlError, OperationError } from "../../../src/cache/errors.ts";
import { defineKey } from "../../../src/typed/define-key.ts";
import type { KeyParameters } from "../../../src/typed/template.ts";

const keyOf = (template: string, parameters: Record<string, string>): string =>
  defineKey(template, { ttlMs: 1 }).keyFor(parameters);

/** Any well-formed text, with a liking for what separates and escapes. */
const text = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: fc.constantFrom(..."ab:{}%/-._~ A3") }));

describe("a key template", () => {
  it("puts its parameters in place", () => {
    expect(keyOf("user:{id}", { id: "42" })).toBe("user:42");
    expect(keyOf("{a}/of/{b}:x", { a: "1", b: "2" })).toBe("1/of/2:x");
    expect(keyOf("config", {})).toBe("config");
  });

  it("leaves what URLs leave unreserved as it is, such as a UUID, and encodes everything else", () => {
    const uuid = "3f2b9c1e-7d0a-4a53-9e0c-0d6b6f0a9b11";
    expect(keyOf("order:{id}", { id: uuid })).toBe(`order:${uuid}`);
    expect(keyOf("x:{id}", { id: "a:b{c}%d é!'()*" })).toBe("x:a%3Ab%7Bc%7D%25d%20%C3%A9%21%27%28%29%2A");
  });

  it("never makes one key of two lists of parameters", () => {
    const list = fc.tuple(text, text, text);
    fc.assert(
      fc.property(list, list, ([a, b, c], [d, e, f]) => {
        const same = keyOf("k:{a}:{b}/{c}", { a, b, c }) === keyOf("k:{a}:{b}/{c}", { a: d, b: e, c: f });
        expect(same).toBe(a === d && b === e && c === f);
      }),
    );
  });

  it("keeps its hash tag, separators and length of parameters out of the reach of parameters", () => {
    fc.assert(
      fc.property(text, (id) => {
        expect(keyOf("user:{id}:name", { id })).toMatch(/^user:[\w.~%-]*:name$/);
      }),
    );
  });

  it.each([
    ["an empty one", "", "non-empty"],
    ["a brace that is not closed", "user:{id", "do not match"],
    ["a brace that was not opened", "user:id}", "do not match"],
    ["braces in braces", "user:{{id}}", "do not match"],
    ["a parameter without a name", "user:{}", "no parameter"],
    ["a name with other characters", "user:{the id}", "no parameter"],
    ["one name twice", "{id}:{id}", "twice"],
    ["a percent sign", "50%:{id}", "%"],
    ["parameters with nothing in between", "{a}{b}", "between two parameters"],
    ["parameters with only what they may contain in between", "{a}-x_{b}", "between two parameters"],
    ["a lone surrogate", "\ud800", "surrogate"],
  ])("is refused when it has %s", (_, template, reason) => {
    expect(() => defineKey(template, { ttlMs: 1 })).toThrow(ConfigError);
    expect(() => defineKey(template, { ttlMs: 1 })).toThrow(reason);
  });

  it.each([0, -1, Number.NaN, "60"])("is refused with the TTL %s", (ttlMs) => {
    expect(() => defineKey("a", { ttlMs: ttlMs as number })).toThrow(InvalidTtlError);
  });

  it.each([-0.1, 1, Number.NaN, "0.5"])("is refused with the jitter %s", (ttlJitter) => {
    expect(() => defineKey("a", { ttlMs: 1, ttlJitter: ttlJitter as number })).toThrow(ConfigError);
  });

  it.each([undefined, null, 5])("is refused with the options %s", (options) => {
    expect(() => defineKey("a", options as never)).toThrow(ConfigError);
  });

  it.each([null, {}, "User", { "~standard": 1 }])("is refused with the schema %s", (schema) => {
    expect(() => defineKey("a", { ttlMs: 1, schema: schema as never })).toThrow(/schema is .* a Standard Schema/);
  });

  it.each([null, {}, { encode: () => {} }])("is refused with the codec %s", (codec) => {
    expect(() => defineKey("a", { ttlMs: 1, codec: codec as never })).toThrow(/codec is .* encode and decode/);
  });

  it.each([
    ["missing", {}],
    ["a number", { id: 42 }],
    ["null", { id: null }],
    ["inherited", Object.create({ id: "42" })],
    ["not well-formed", { id: "\ud800" }],
  ])("is not rendered when a parameter is %s", (_, parameters) => {
    expect(() => keyOf("user:{id}", parameters as Record<string, string>)).toThrow(OperationError);
    expect(() => keyOf("user:{id}", parameters as Record<string, string>)).toThrow(/"id" of the key "user:{id}"/);
  });
});

describe("the type of a key", () => {
  it("has one string for each parameter", () => {
    expectTypeOf<KeyParameters<"user:{id}">>().toEqualTypeOf<{ readonly id: string }>();
    expectTypeOf<KeyParameters<"{a}:{b}/{c}">>().toEqualTypeOf<{
      readonly a: string;
      readonly b: string;
      readonly c: string;
    }>();
    expectTypeOf<keyof KeyParameters<"plain">>().toEqualTypeOf<never>();
    expectTypeOf<KeyParameters<string>>().toEqualTypeOf<Readonly<Record<string, string>>>();
  });

  it("does not compile with other parameters", () => {
    const user = defineKey("user:{id}", { ttlMs: 1 });
    expect(user.keyFor({ id: "42" })).toBe("user:42");
    // @ts-expect-error another name
    expect(() => user.keyFor({ name: "42" })).toThrow();
    // @ts-expect-error another type
    expect(() => user.keyFor({ id: 42 })).toThrow();
    // @ts-expect-error one that is missing
    expect(() => user.keyFor({})).toThrow();
    // @ts-expect-error one too many
    expect(user.keyFor({ id: "42", name: "x" })).toBe("user:42");
  });
});
