/** Responses for what goes wrong, as problem details (RFC 9457) with the library's error code. */

import { type HoldfastError, isStoreFault } from "../cache/errors.ts";
import {
  IdempotencyInProgressError,
  IdempotencyLostError,
  IdempotencyMismatchError,
  IdempotencyResultError,
} from "../primitives/idempotency/errors.ts";

interface Problem {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly code: string;
  readonly retryAfterMs?: number;
}

export function badKey(detail: string): Response {
  const title = "The Idempotency-Key header is missing or invalid";
  return respond({ status: 400, title, detail, code: "ERR_IDEMPOTENCY_KEY" });
}

export function notKept(why: string): Response {
  return respond({
    status: 409,
    title: "The request was handled before, but its response was not kept",
    detail: `The response was ${why}. Nothing was done for this request.`,
    code: "ERR_IDEMPOTENCY_RESULT",
  });
}

/** The response for an error of the guard; `undefined` for errors that are not the client's to see. */
export function problemFor(error: unknown): Response | undefined {
  if (error instanceof IdempotencyInProgressError) {
    return respond({
      status: 409,
      title: "A request with this Idempotency-Key is being handled",
      detail: "Ask again later with the same key to get its response.",
      code: error.code,
      retryAfterMs: error.retryAfterMs,
    });
  }
  if (error instanceof IdempotencyMismatchError) {
    return respond({
      status: 422,
      title: "This Idempotency-Key was used for another request",
      detail: "Send each request with a key of its own, and repeat it unchanged.",
      code: error.code,
    });
  }
  if (error instanceof IdempotencyResultError) return notKept(error.reason === "too-large" ? "too large" : "not data");
  if (error instanceof IdempotencyLostError || isStoreFault(error)) {
    return respond({
      status: 503,
      title: "The response could not be made sure of",
      detail: "Ask again with the same key.",
      code: (error as HoldfastError).code,
      retryAfterMs: 1_000,
    });
  }
  return undefined;
}

function respond({ status, title, detail, code, retryAfterMs }: Problem): Response {
  const headers = new Headers({ "content-type": "application/problem+json" });
  if (retryAfterMs !== undefined) headers.set("retry-after", String(Math.max(1, Math.ceil(retryAfterMs / 1_000))));
  return new Response(JSON.stringify({ type: "about:blank", title, status, detail, code }), { status, headers });
}
