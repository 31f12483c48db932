import { once } from "node:events";
import type { AddressInfo } from "node:net";
import express from "express";
import { expressIdempotency } from "../../../src/http/index.ts";
import { guardsRequests } from "./behaviour.ts";

guardsRequests("expressIdempotency", async ({ hold, routes, options }) => {
  const app = express();
  app.use(express.json());
  app.use(expressIdempotency<express.Request>(hold, { ...options, identity: (req) => req.get("x-user") ?? "nobody" }));
  for (const [path, route] of Object.entries(routes)) {
    app.all(path, async (req, res) => {
      const { status, headers, body, rest } = await route(req.body);
      res.status(status);
      if (headers) res.set({ ...headers });
      if (rest === undefined) return void res.send(body);
      res.write(body);
      res.end(await rest);
    });
  }
  app.use((_error: unknown, _req: express.Request, res: express.Response, _next: express.NextFunction) => {
    res.status(500).send("failed");
  });
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    fetch: (path, init) => fetch(`http://127.0.0.1:${port}${path}`, init),
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
});
