import fc from "fast-check";
import { Command } from "ioredis";
import { expect, it } from "vitest";
import { encodeRequest } from "../../../src/cache/redis/resp.ts";

const argument = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  fc.integer({ min: 0, max: 20_000 }).map((length) => Buffer.alloc(length, 7)),
  fc.integer({ min: 0, max: 20_000 }).map((length) => "é".repeat(length)),
);

it("a request is the bytes that ioredis would write", () => {
  fc.assert(
    fc.property(fc.array(argument, { maxLength: 12 }), (args) => {
      const theirs = new Command("SET", args).toWritable({} as never);
      expect(encodeRequest("SET", args).equals(Buffer.from(theirs))).toBe(true);
    }),
  );
});
