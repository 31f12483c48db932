import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import express from "express";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { connect } from "../../../src/connect.ts";
import type { Coordinator } from "../../../src/coordinator.ts";
import { expressIdempotency } from "../../../src/http/index.ts";

/** The ways in which handlers of Node send responses. */
describe("expressIdempotency holds and replays", () => {
  let hold: Coordinator;
  let server: ReturnType<express.Express["listen"]>;
  let runs = 0;

  beforeEach(async () => {
    hold = await connect("memory:");
    runs = 0;
  });

  afterEach(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
    await hold.close();
  });

  const serve = async (handler: express.RequestHandler, ...before: express.RequestHandler[]): Promise<void> => {
    const app = express();
    app.post("/", ...before, expressIdempotency(hold, { identity: false, maxBodyBytes: 1_000 }), (req, res, next) => {
      runs += 1;
      return handler(req, res, next);
    });
    app.use((error: Error, _req: express.Request, res: express.Response, _next: express.NextFunction) => {
      res.status(500).send(error.message);
    });
    server = app.listen(0, "127.0.0.1");
    await once(server, "listening");
  };

  const post = (init: RequestInit = {}): Promise<Response> => {
    const { port } = server.address() as AddressInfo;
    return fetch(`http://127.0.0.1:${port}/`, {
      method: "POST",
      redirect: "manual",
      ...init,
      headers: { "idempotency-key": "k1", ...(init.headers as Record<string, string>) },
    });
  };

  test.each<[how: string, handler: express.RequestHandler, status: number, text: string]>([
    ["json", (_req, res) => void res.status(201).json({ id: 1 }), 201, '{"id":1}'],
    ["a redirect", (_req, res) => void res.redirect(303, "/done"), 303, "See Other. Redirecting to /done"],
    ["a pipe", (_req, res) => void Readable.from(["one ", Buffer.from("two")]).pipe(res.type("txt")), 200, "one two"],
    [
      "writes in parts",
      (_req, res) => {
        res.write("one ");
        res.write("74776f", "hex");
        res.end("!");
      },
      200,
      "one two!",
    ],
    ["writeHead with an object", (_req, res) => void res.writeHead(202, { etag: '"1"' }).end("ok"), 202, "ok"],
    [
      "writeHead with a message and a list",
      (_req, res) => void res.writeHead(202, "Fine", ["etag", '"1"']).end("ok"),
      202,
      "ok",
    ],
    ["nothing", (_req, res) => void res.end(), 200, ""],
  ])("%s", async (_how, handler, status, text) => {
    await serve(handler);
    const first = await post();
    const second = await post();
    expect([first.status, await first.text()]).toEqual([status, text]);
    expect([second.status, await second.text()]).toEqual([status, text]);
    expect(second.headers.get("idempotent-replayed")).toBe("true");
    for (const name of ["etag", "location", "content-type"]) {
      expect(second.headers.get(name), name).toBe(first.headers.get(name));
    }
    expect(runs).toBe(1);
  });

  test("and calls back when a response was sent", async () => {
    let ended = false;
    await serve((_req, res) => {
      const onEnd = (): void => {
        ended = true;
      };
      res.write("one", () => res.end("two", onEnd));
    });
    expect(await (await post()).text()).toBe("onetwo");
    expect(ended).toBe(true);
  });

  test("but passes on what a handler flushes", async () => {
    await serve((_req, res) => {
      res.setHeader("x-a", "1");
      res.flushHeaders();
      res.end("now");
    });
    const first = await post();
    expect([first.headers.get("x-a"), await first.text()]).toEqual(["1", "now"]);
    expect((await post()).status).toBe(409);
  });

  test("and says so when the body was not parsed before", async () => {
    await serve((_req, res) => void res.end());
    const response = await post({ body: "{}", headers: { "content-type": "application/json" } });
    expect(response.status).toBe(500);
    expect(await response.text()).toMatch(/put the parser of the body first/);
    expect(runs).toBe(0);
  });

  test("a client that hangs up does not make the handler run again", async () => {
    let finish: () => void = () => {};
    await serve((_req, res) => {
      finish = () => void res.send("done");
    });
    const controller = new AbortController();
    const gone = expect(post({ signal: controller.signal })).rejects.toThrow();
    while (runs === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    controller.abort();
    await gone;
    expect((await post()).status).toBe(409);
    finish();
    let second = await post();
    while (second.status === 409) second = await post();
    expect(await second.text()).toBe("done");
    expect(runs).toBe(1);
  });
});
