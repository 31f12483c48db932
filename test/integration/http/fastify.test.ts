import { Readable } from "node:stream";
import { type FastifyRequest, fastify } from "fastify";
import { fastifyIdempotency } from "../../../src/http/index.ts";
import { guardsRequests } from "./behaviour.ts";

guardsRequests("fastifyIdempotency", async ({ hold, routes, options }) => {
  const app = fastify({ forceCloseConnections: true });
  app.register(
    fastifyIdempotency<FastifyRequest>(hold, { ...options, identity: ({ headers }) => String(headers["x-user"]) }),
  );
  for (const [path, route] of Object.entries(routes)) {
    app.all(path, async (request, reply) => {
      const { status, headers, body, rest } = await route(request.body);
      reply.code(status).headers(headers ?? {});
      return reply.send(rest === undefined ? body : Readable.from(parts(body ?? "", rest)));
    });
  }
  const address = await app.listen({ port: 0, host: "127.0.0.1" });
  return {
    fetch: (path, init) => fetch(`${address}${path}`, init),
    close: () => app.close(),
  };
});

async function* parts(first: string, rest: Promise<string>): AsyncGenerator<string> {
  yield first;
  yield await rest;
}
