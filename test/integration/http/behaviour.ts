import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createMemoryCache } from "../../../src/cache/memory/index.ts";
import { connect } from "../../../src/connect.ts";
import type { Coordinator } from "../../../src/coordinator.ts";
import type { HttpIdempotencyOptions } from "../../../src/http/options.ts";
import { FaultyCache } from "../../../src/testing/faulty-cache.ts";

/** What a route does, whatever the framework. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** What is streamed after the body. */
  readonly rest?: Promise<string>;
}

/** The routes of the application under test, by path; each handles any method. */
export type Routes = Readonly<Record<string, (body: unknown) => Answer | Promise<Answer>>>;

export interface Scene {
  readonly hold: Coordinator;
  readonly routes: Routes;
  readonly options: Pick<HttpIdempotencyOptions<unknown>, "whenInProgress" | "required" | "maxBodyBytes" | "keep">;
}

export interface App {
  fetch(path: string, init: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

/** How a framework's application is started. Its callers are told apart by the header `x-user`. */
export type Start = (scene: Scene) => Promise<App>;

/** What the guard of requests promises, for one framework. */
export function guardsRequests(name: string, start: Start): void {
  describe(name, () => {
    let cache: FaultyCache;
    let hold: Coordinator;
    let app: App | undefined;
    let runs: unknown[] = [];

    beforeEach(async () => {
      cache = new FaultyCache(createMemoryCache());
      hold = await connect(cache);
      runs = [];
    });

    afterEach(async () => {
      await app?.close();
      cache.heal();
      await hold.close();
      await cache.close();
    });

    const open = async (route: Routes[string], options: Scene["options"] = {}): Promise<void> => {
      const handle = (body: unknown): Answer | Promise<Answer> => {
        runs.push(body);
        return route(body);
      };
      app = await start({ hold, routes: { "/pay": handle, "/refund": handle }, options });
    };

    const send = (
      key: string | undefined,
      { path = "/pay", method = "POST", user = "ann", body = '{"amount":5}', type = "application/json" } = {},
    ): Promise<Response> => {
      const headers = new Headers({ "x-user": user });
      if (key !== undefined) headers.set("idempotency-key", key);
      if (method === "GET") return (app as App).fetch(path, { method, headers });
      headers.set("content-type", type);
      return (app as App).fetch(path, { method, headers, body });
    };

    const paid: Answer = {
      status: 201,
      headers: { "content-type": "application/json", location: "/payments/1", "set-cookie": "a=1", "x-trace": "t" },
      body: '{"id":1}',
    };

    test("the first response is the handler's own; the second its replay: status, allow-listed headers, body", async () => {
      await open(() => paid);
      const first = await send('"k1"');
      expect(first.status).toBe(201);
      expect(await first.text()).toBe('{"id":1}');
      expect(Object.fromEntries(first.headers)).toMatchObject({
        location: "/payments/1",
        "set-cookie": "a=1",
        "x-trace": "t",
      });
      expect(first.headers.has("idempotent-replayed")).toBe(false);

      const second = await send("k1");
      expect(second.status).toBe(201);
      expect(await second.text()).toBe('{"id":1}');
      expect(second.headers.get("idempotent-replayed")).toBe("true");
      expect(second.headers.get("location")).toBe("/payments/1");
      expect(second.headers.get("content-type")).toMatch(/^application\/json/);
      expect(second.headers.has("set-cookie")).toBe(false);
      expect(second.headers.has("x-trace")).toBe(false);
      expect(runs).toEqual([{ amount: 5 }]);
    });

    test("a response without a body is replayed as that", async () => {
      await open(() => ({ status: 204 }));
      await send("k1");
      const second = await send("k1");
      expect([second.status, await second.text(), runs.length]).toEqual([204, "", 1]);
    });

    test("400 without a key, or with one that is none", async () => {
      await open(() => paid);
      for (const key of [undefined, '"', "a, b", "k".repeat(256)]) {
        const response = await send(key);
        expect(response.status).toBe(400);
        expect(response.headers.get("content-type")).toMatch(/^application\/problem\+json/);
        expect(await response.json()).toMatchObject({ status: 400, code: "ERR_IDEMPOTENCY_KEY" });
      }
      expect(runs).toEqual([]);
    });

    test("a request without a key passes unguarded if none is required", async () => {
      await open(() => paid, { required: false });
      await send(undefined);
      await send(undefined);
      await send("k1");
      await send("k1");
      expect(runs).toHaveLength(3);
    });

    test("safe methods pass unguarded", async () => {
      await open(() => paid);
      expect((await send(undefined, { method: "GET" })).status).toBe(201);
      expect((await send("k1", { method: "GET" })).headers.has("idempotent-replayed")).toBe(false);
    });

    test("422 for another payload; white space and the order of keys in JSON do not make one", async () => {
      await open(() => paid);
      await send("k1", { body: '{"amount":5,"to":"bob"}' });
      const other = await send("k1", { body: '{"amount":6,"to":"bob"}' });
      expect(other.status).toBe(422);
      expect(await other.json()).toMatchObject({ code: "ERR_IDEMPOTENCY_MISMATCH" });
      expect((await send("k1", { path: "/pay?dry=1", body: '{"amount":5,"to":"bob"}' })).status).toBe(422);
      expect((await send("k1", { body: '{ "to": "bob",\n"amount": 5 }' })).status).toBe(201);
      expect(runs).toHaveLength(1);
    });

    test("the key belongs to the method, the path and the caller", async () => {
      await open(() => paid);
      await send("k1");
      expect((await send("k1", { path: "/refund" })).headers.has("idempotent-replayed")).toBe(false);
      expect((await send("k1", { method: "PATCH" })).headers.has("idempotent-replayed")).toBe(false);
      expect((await send("k1", { user: "eve" })).headers.has("idempotent-replayed")).toBe(false);
      expect((await send("k1")).headers.has("idempotent-replayed")).toBe(true);
      expect(runs).toHaveLength(4);
    });

    test("409 with Retry-After while the first request is handled", async () => {
      const bench = new Bench();
      await open(bench.handle);
      const first = send("k1");
      await bench.begun();
      const second = await send("k1");
      expect(second.status).toBe(409);
      expect(Number(second.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
      expect(await second.json()).toMatchObject({ code: "ERR_IDEMPOTENCY_IN_PROGRESS" });
      bench.finish(paid);
      expect((await first).status).toBe(201);
      expect((await send("k1")).status).toBe(201);
      expect(runs).toHaveLength(1);
    });

    test("or it waits for the response, if it is asked to", async () => {
      const bench = new Bench();
      await open(bench.handle, { whenInProgress: "wait" });
      const first = send("k1");
      await bench.begun();
      const second = send("k1");
      bench.finish(paid);
      expect((await first).headers.has("idempotent-replayed")).toBe(false);
      expect((await second).headers.get("idempotent-replayed")).toBe("true");
      expect(runs).toHaveLength(1);
    });

    test("a failure of the server is the client's to see, and is not kept", async () => {
      const answers: Answer[] = [{ status: 503, headers: { "x-why": "later" }, body: "later" }, paid];
      await open(() => answers.shift() ?? paid);
      const first = await send("k1");
      expect([first.status, first.headers.get("x-why"), await first.text()]).toEqual([503, "later", "later"]);
      expect((await send("k1")).status).toBe(201);
      expect((await send("k1")).headers.get("idempotent-replayed")).toBe("true");
      expect(runs).toHaveLength(2);
    });

    test("what is kept can be chosen by the status", async () => {
      await open(() => ({ status: 402, body: "no" }), { keep: (status) => status < 400 });
      await send("k1");
      expect((await send("k1")).headers.has("idempotent-replayed")).toBe(false);
      expect(runs).toHaveLength(2);
    });

    test("a handler that throws fails as it would without the guard, and the retry runs", async () => {
      let fails = true;
      await open(() => {
        if (!fails) return paid;
        fails = false;
        throw new Error("boom");
      });
      expect((await send("k1")).status).toBe(500);
      expect((await send("k1")).status).toBe(201);
    });

    test("a response is held until it is recorded", async () => {
      await open(() => paid);
      cache.inject({ fault: "hang", operation: "compareAndSet" });
      let arrived = false;
      const first = send("k1").then((response) => {
        arrived = true;
        return response;
      });
      while (cache.count({ operation: "compareAndSet" }) === 0) await pause(1);
      await pause(20);
      expect(arrived).toBe(false);
      cache.heal();
      expect(await (await first).text()).toBe('{"id":1}');
    });

    test("a response that is too large is passed on, and not kept", async () => {
      const body = "x".repeat(5_000);
      await open(() => ({ status: 200, headers: { "content-type": "text/plain" }, body }), { maxBodyBytes: 4_999 });
      const first = await send("k1");
      expect([first.status, (await first.text()).length]).toEqual([200, 5_000]);
      const second = await send("k1");
      expect(second.status).toBe(409);
      expect(await second.json()).toMatchObject({ code: "ERR_IDEMPOTENCY_RESULT", detail: /too large/ });
      expect(runs).toHaveLength(1);
    });

    test("so is one that is too large for the store", async () => {
      const body = "x".repeat(1024 * 1024);
      await open(() => ({ status: 200, body }), { maxBodyBytes: 4 * 1024 * 1024 });
      expect((await (await send("k1")).text()).length).toBe(body.length);
      expect((await send("k1")).status).toBe(409);
      expect(runs).toHaveLength(1);
    });

    test("a stream of events is passed on as it comes, and not kept", async () => {
      const bench = new Bench<void>();
      const headers = { "content-type": "text/event-stream" };
      await open(() => ({ status: 200, headers, body: "data: 1\n\n", rest: bench.handle().then(() => "data: 2\n\n") }));
      const reader = (await send("k1")).body?.getReader();
      expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe("data: 1\n\n");
      bench.finish();
      expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe("data: 2\n\n");
      expect((await reader?.read())?.done).toBe(true);
      expect((await send("k1")).status).toBe(409);
      expect(runs).toHaveLength(1);
    });

    test("503 while the store is down, and the handler has not run", async () => {
      await open(() => paid);
      cache.inject({ fault: "error" });
      const response = await send("k1");
      expect(response.status).toBe(503);
      expect(response.headers.has("retry-after")).toBe(true);
      expect(runs).toEqual([]);
    });

    test("many requests at once: one is handled", async () => {
      await open(() => pause(20).then(() => paid), { whenInProgress: "wait" });
      const responses = await Promise.all(Array.from({ length: 20 }, () => send("k1")));
      expect(responses.map(({ status }) => status)).toEqual(new Array(20).fill(201));
      expect(responses.filter(({ headers }) => headers.has("idempotent-replayed"))).toHaveLength(19);
      expect(runs).toHaveLength(1);
    });
  });
}

/** A handler that the test lets go on. */
class Bench<T = Answer> {
  finish: (value: T) => void = () => {};
  #begin: () => void = () => {};
  readonly #begun = new Promise<void>((resolve) => {
    this.#begin = resolve;
  });

  readonly handle = (): Promise<T> => {
    this.#begin();
    return new Promise((resolve) => {
      this.finish = resolve;
    });
  };

  begun(): Promise<void> {
    return this.#begun;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
