import type { IncomingMessage, ServerResponse } from "node:http";
import { HeldResponse } from "./held-response.ts";
import { HttpGuard } from "./http-guard.ts";
import { guardedNodeRequest, type NodeRequest } from "./node-request.ts";
import { type GuardMaker, type HttpIdempotencyOptions, httpSettings } from "./options.ts";

type Next = (error?: unknown) => void;

/**
 * Express middleware that guards what comes after it by the request's
 * `Idempotency-Key`. It belongs behind the parser of the body and behind whatever
 * finds out who is asking:
 *
 * ```ts
 * const once = expressIdempotency<Request>(hold, { identity: (req) => req.user.id });
 * app.post("/payments", express.json(), authenticate, once, pay);
 * ```
 *
 * However the handler sends its response (`res.json`, `res.send`, a pipe), it is
 * held until it is recorded. It is passed on as it comes, and not kept, if it is
 * longer than `maxBodyBytes`, an event stream, or if the handler flushes its headers.
 *
 * @param hold a `Coordinator`
 * @throws ConfigError naming the option that is wrong
 */
export function expressIdempotency<Req extends IncomingMessage & NodeRequest>(
  hold: GuardMaker,
  options: HttpIdempotencyOptions<Req>,
): (req: Req, res: ServerResponse, next: Next) => void {
  const settings = httpSettings(options);
  const guard = new HttpGuard(hold, settings);

  const handle = async (req: Req, res: ServerResponse, next: Next): Promise<void> => {
    let held: HeldResponse | undefined;
    const run = (): HeldResponse["made"] => {
      held = new HeldResponse(res, settings.maxBodyBytes);
      next();
      return held.made;
    };
    const verdict = await guard.handle({ ...guardedNodeRequest(req, options), run });
    if (verdict.send === "own") held?.send();
    else await sendInstead(res, verdict.response, held);
  };

  return (req, res, next) => {
    if (guard.passes(req.method ?? "GET", req.headers["idempotency-key"] !== undefined)) next();
    else handle(req, res, next).catch(next);
  };
}

/** Sends the guard's response; the handler's own, if there is one, is dropped, or has been sent in part. */
async function sendInstead(res: ServerResponse, response: Response, held: HeldResponse | undefined): Promise<void> {
  held?.drop();
  if (res.headersSent) return;
  res.statusCode = response.status;
  for (const [name, value] of response.headers) res.setHeader(name, value);
  res.end(Buffer.from(await response.arrayBuffer()));
}
