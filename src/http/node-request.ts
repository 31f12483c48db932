import type { IncomingHttpHeaders } from "node:http";
import { ConfigError } from "../cache/errors.ts";
import type { GuardedRequest } from "./http-guard.ts";
import { headerLines } from "./kept-response.ts";
import type { HttpIdempotencyOptions } from "./options.ts";
import { payloadOf } from "./payload.ts";

/** What the requests of Node's frameworks have in common. */
export interface NodeRequest {
  readonly method?: string | undefined;
  readonly originalUrl?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  /** What a parser has made of the body. */
  readonly body?: unknown;
}

/**
 * A request of one of Node's frameworks, as the guard wants it.
 *
 * @throws ConfigError if its body was not parsed yet
 */
export function guardedNodeRequest<Req extends NodeRequest>(
  req: Req,
  { identity, fingerprint }: HttpIdempotencyOptions<Req>,
): Omit<GuardedRequest, "run"> {
  if (fingerprint === undefined) checkParsed(req);
  const request = toWebRequest(req);
  return {
    request,
    identity: identity && (() => identity(req)),
    payload: () => (fingerprint ? fingerprint(req) : payloadOf(request, req.body)),
  };
}

/** Without the body, which its parser has consumed. */
function toWebRequest({ method = "GET", originalUrl, url = "/", headers }: NodeRequest): Request {
  return new Request(new URL(originalUrl ?? url, "http://localhost"), {
    method,
    // The pseudo-headers of HTTP/2 begin with a colon.
    headers: headerLines(headers).filter(([name]) => !name.startsWith(":")),
  });
}

/** Two requests could not be compared by a body that nobody has read. */
function checkParsed({ method, url, headers, body }: NodeRequest): void {
  const hasBody = headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
  if (!hasBody || body !== undefined) return;
  throw new ConfigError(
    `the body of ${method} ${url} has not been parsed when its Idempotency-Key is looked at: ` +
      "put the parser of the body first, or give a fingerprint option",
  );
}
