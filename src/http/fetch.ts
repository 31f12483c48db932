import { describe } from "../cache/checks.ts";
import { checkFunction } from "../cache/choices.ts";
import { ConfigError } from "../cache/errors.ts";
import type { IdempotentContext } from "../primitives/idempotency/context.ts";
import { HttpGuard } from "./http-guard.ts";
import { readResponse } from "./kept-response.ts";
import { type GuardMaker, type HttpIdempotencyOptions, httpSettings } from "./options.ts";
import { payloadOf } from "./payload.ts";

/** A handler of web-standard requests, as Hono, Deno, Bun, Next.js and `http` adapters have them. */
export type FetchHandler = (request: Request, context?: IdempotentContext) => Response | Promise<Response>;

/**
 * Guards a handler of web-standard requests by their `Idempotency-Key`. The
 * handler is told about its run in the second argument, which is absent when the
 * request passes unguarded.
 *
 * The response is held until it is recorded; then it is sent as the handler made
 * it. A response that is an event stream, or longer than `maxBodyBytes`, is
 * passed on as it comes, and not kept.
 *
 * @param hold a `Coordinator`
 * @throws ConfigError naming the option that is wrong; for a request, when the handler gives no response
 */
export function idempotentFetch(
  hold: GuardMaker,
  handler: FetchHandler,
  options: HttpIdempotencyOptions<Request>,
): (request: Request) => Promise<Response> {
  checkFunction(handler, "the handler");
  const settings = httpSettings(options);
  const guard = new HttpGuard(hold, settings);
  const { identity, fingerprint } = options;
  return async (request) => {
    if (guard.passes(request.method, request.headers.has("idempotency-key"))) return handler(request);
    let own: Response | undefined;
    const verdict = await guard.handle({
      request,
      identity: identity && (() => identity(request)),
      payload: () => (fingerprint ? fingerprint(request) : readPayload(request)),
      run: async (context) => {
        const made = await handler(request, context);
        checkResponse(made);
        const { kept, response } = await readResponse(made, settings.maxBodyBytes);
        own = response;
        return kept;
      },
    });
    return verdict.send === "own" ? (own as Response) : verdict.response;
  };
}

/** One of another realm, or another implementation, does as well. */
function checkResponse(made: Partial<Response> | undefined | null): void {
  if (typeof made?.headers?.get === "function") return;
  throw new ConfigError(`the handler gave ${describe(made)}; it must give a Response`);
}

/** From a copy, so that the handler can read the body as well. */
async function readPayload(request: Request): Promise<Uint8Array> {
  return payloadOf(request, new Uint8Array(await request.clone().arrayBuffer()));
}
