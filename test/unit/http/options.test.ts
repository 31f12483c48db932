import { describe, expect, test } from "vitest";
import { ConfigError } from "../../../src/cache/errors.ts";
import { createMemoryCache } from "../../../src/cache/memory/index.ts";
import { Coordinator } from "../../../src/coordinator.ts";
import {
  expressIdempotency,
  type FetchHandler,
  fastifyIdempotency,
  type HttpIdempotencyOptions,
  idempotentFetch,
} from "../../../src/http/index.ts";

type Options = HttpIdempotencyOptions<Request>;
const hold = new Coordinator(createMemoryCache());
const handler = (): Response => new Response("paid");

const request = (): Request =>
  new Request("http://shop.example/pay", { method: "POST", headers: { "idempotency-key": "1" } });

describe("the options of a guard for requests", () => {
  test.each<[option: keyof Options, ...values: unknown[]]>([
    ["identity", undefined, "x", true],
    ["name", "", 5],
    ["methods", "POST", [5], [], ["post "], [""], null],
    ["required", "no", 1],
    ["whenInProgress", "ignore"],
    ["fingerprint", "x", false],
    ["keep", 5, "200", null],
    ["replayHeaders", "x", [5], ["x-a: b"]],
    ["maxBodyBytes", -1, "x", 1.5, Number.POSITIVE_INFINITY, 256 * 1024 * 1024],
  ])("%s is checked when the guard is made, and named", (option, ...values) => {
    for (const value of values) {
      const options = { identity: false, [option]: value } as Options;
      expect(() => idempotentFetch(hold, handler, options)).toThrow(ConfigError);
      expect(() => idempotentFetch(hold, handler, options)).toThrow(new RegExp(`^${option} `));
    }
  });

  test.each([
    ["fetch", (from: Coordinator, options: Options) => idempotentFetch(from, handler, options)],
    ["Express", (from: Coordinator, options: Options) => expressIdempotency(from, options as object as never)],
    ["Fastify", (from: Coordinator, options: Options) => fastifyIdempotency(from, options as object as never)],
  ])("must be there, and so must the coordinator, for %s", (_framework, make) => {
    const nothing = undefined as unknown;
    expect(() => make(hold, nothing as Options)).toThrow(ConfigError);
    expect(() => make(nothing as Coordinator, { identity: false })).toThrow(ConfigError);
    expect(() => make(hold.cache as unknown as Coordinator, { identity: false })).toThrow(
      /^hold\.idempotent is undefined/,
    );
  });

  test("may have methods in any case", async () => {
    let runs = 0;
    const counted = (): Response => new Response(`run ${++runs}`);
    const handle = idempotentFetch(hold, counted, { identity: false, name: "case", methods: ["post"] });
    await handle(request());
    expect(await (await handle(request())).text()).toBe("run 1");
  });
});

describe("a handler of requests", () => {
  test("must be a function", () => {
    const none = undefined as unknown as FetchHandler;
    expect(() => idempotentFetch(hold, none, { identity: false })).toThrow(/the handler is undefined/);
  });

  test.each([
    ["undefined", undefined],
    ["null", null],
    ['"paid"', "paid"],
    ["Object", {}],
  ])("must give a response: %s is none, and the retry is handled anew", async (what, given) => {
    let runs = 0;
    const failing = (() => {
      runs += 1;
      return given;
    }) as unknown as FetchHandler;
    const handle = idempotentFetch(hold, failing, { identity: false, name: `gives ${what}` });
    const message = `the handler gave ${what}; it must give a Response`;
    for (const count of [1, 2]) {
      await expect(handle(request())).rejects.toThrow(new ConfigError(message));
      expect(runs).toBe(count);
    }
  });
});
