import { describe, expect, test } from "vitest";
import { readKey } from "../../../src/http/key.ts";

const UUID = "8e03978e-40d5-43dd-bc93-6894a57f9324";

describe("the Idempotency-Key header", () => {
  test.each([
    ["in quotes, as the draft has it", `"${UUID}"`, UUID],
    ["plain, as most clients send it", UUID, UUID],
    ["with parameters, which are ignored", `"${UUID}";v=1`, UUID],
    ["with escapes", '"a\\"b\\\\c"', 'a"b\\c'],
    ["with spaces inside the quotes", '"order 5"', "order 5"],
    ["a number is text here", "12345", "12345"],
    ["of the greatest length", "k".repeat(255), "k".repeat(255)],
  ])("%s", (_what, header, key) => {
    expect(readKey(header)).toEqual({ key });
  });

  test.each([
    ["empty", "", /empty/],
    ["an empty string", '""', /empty/],
    ["too long", "k".repeat(256), /256 characters; at most 255/],
    ["too long in quotes", `"${"k".repeat(256)}"`, /256 characters/],
    ["two headers, which arrive as one", `"${UUID}", "${UUID}"`, /one string/],
    ["two plain ones", `${UUID}, ${UUID}`, /one string/],
    ["an open quote", '"abc', /one string/],
    ["a quote inside", 'a"b', /one string/],
    ["what is not ASCII", "schlüssel", /one string/],
    ["control characters", "a\tb", /one string/],
  ])("is refused when it is %s", (_what, header, fault) => {
    expect(readKey(header)).toEqual({ fault: expect.stringMatching(fault) });
  });
});
