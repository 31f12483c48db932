import { idempotentFetch } from "../../../src/http/index.ts";
import { type Answer, guardsRequests } from "./behaviour.ts";

guardsRequests("idempotentFetch", async ({ hold, routes, options }) => {
  const handle = idempotentFetch(
    hold,
    async (request) => {
      const text = await request.text();
      const route = routes[new URL(request.url).pathname];
      return route
        ? toResponse(await route(text === "" ? undefined : JSON.parse(text)))
        : new Response(null, { status: 404 });
    },
    { ...options, identity: (request) => request.headers.get("x-user") ?? "nobody" },
  );
  return {
    // As a server does with a handler that throws.
    fetch: (path, init) =>
      handle(new Request(`http://shop.example${path}`, init)).catch(() => new Response(null, { status: 500 })),
    close: async () => {},
  };
});

function toResponse({ status, headers, body, rest }: Answer): Response {
  const init = { status, ...(headers && { headers: { ...headers } }) };
  if (rest === undefined) return new Response(body ?? null, init);
  const parts = [Promise.resolve(body ?? ""), rest].values();
  const stream = new ReadableStream({
    async pull(controller) {
      const { value, done } = parts.next();
      if (done) controller.close();
      else controller.enqueue(Buffer.from(await value));
    },
  });
  return new Response(stream, init);
}
