import { HttpGuard, type Verdict } from "./http-guard.ts";
import { headerLines, type KeptResponse, type PassedResponse } from "./kept-response.ts";
import { guardedNodeRequest, type NodeRequest } from "./node-request.ts";
import { type GuardMaker, type HttpIdempotencyOptions, httpSettings } from "./options.ts";

/** What is needed of Fastify's reply. */
export interface FastifyReplyLike {
  readonly statusCode: number;
  getHeaders(): Record<string, string | number | string[] | undefined>;
  removeHeader(name: string): unknown;
  code(status: number): unknown;
  header(name: string, value: string): unknown;
  send(payload?: unknown): unknown;
}

/** What is needed of a Fastify instance. Its overloads cannot be written down here without Fastify's own types. */
export interface FastifyLike {
  readonly addHook: (name: never, hook: never) => unknown;
}

type AddHook = (this: FastifyLike, name: string, hook: (...args: never[]) => Promise<unknown>) => unknown;

/** A request whose handler runs. */
interface Held {
  readonly verdict: Promise<Verdict>;
  readonly made: (response: KeptResponse | PassedResponse) => void;
}

/**
 * A Fastify plugin that guards the routes of the scope in which it is registered
 * by the requests' `Idempotency-Key`:
 *
 * ```ts
 * app.register(async (payments) => {
 *   payments.register(fastifyIdempotency<FastifyRequest>(hold, { identity: (request) => request.user.id }));
 *   payments.post("/payments", pay);
 * });
 * ```
 *
 * What the handler sends is held until it is recorded. A stream, or what is longer
 * than `maxBodyBytes`, is passed on and not kept.
 *
 * @param hold a `Coordinator`
 * @throws ConfigError naming the option that is wrong
 */
export function fastifyIdempotency<Req extends NodeRequest>(
  hold: GuardMaker,
  options: HttpIdempotencyOptions<Req>,
): (app: FastifyLike) => Promise<void> {
  const settings = httpSettings(options);
  const guard = new HttpGuard(hold, settings);
  const running = new WeakMap<object, Held>();

  const preHandler = async (request: Req, reply: FastifyReplyLike): Promise<unknown> => {
    if (guard.passes(request.method ?? "GET", request.headers["idempotency-key"] !== undefined)) return;
    const verdict = await new Promise<Verdict | undefined>((resolve, reject) => {
      const run = (): Promise<KeptResponse | PassedResponse> =>
        new Promise((made) => {
          running.set(request, { verdict: handled, made });
          resolve(undefined);
        });
      const handled = guard.handle({ ...guardedNodeRequest(request, options), run });
      handled.then(resolve, reject);
    });
    // The handler may run; what it sends comes back in onSend.
    if (verdict?.send !== "answer") return;
    return reply.send(await put(reply, verdict.response));
  };

  const onSend = async (request: Req, reply: FastifyReplyLike, payload: unknown): Promise<unknown> => {
    const held = running.get(request);
    if (held === undefined) return payload;
    running.delete(request);
    const made = toKept(reply, payload, settings.maxBodyBytes);
    held.made(made);
    // A stream is not waited for: it may take as long as it likes.
    const verdict = await held.verdict;
    if (verdict.send === "own") return payload;
    return put(reply, verdict.response);
  };

  const plugin = async (app: FastifyLike): Promise<void> => {
    const addHook = app.addHook as AddHook;
    addHook.call(app, "preHandler", preHandler);
    addHook.call(app, "onSend", onSend);
  };
  // Fastify's own mark for plugins that belong to the scope in which they are registered.
  return Object.assign(plugin, { [Symbol.for("skip-override")]: true });
}

/** Makes the reply that of the guard; gives the payload. */
async function put(reply: FastifyReplyLike, response: Response): Promise<Buffer> {
  for (const name of Object.keys(reply.getHeaders())) reply.removeHeader(name);
  reply.code(response.status);
  for (const [name, value] of response.headers) reply.header(name, value);
  return Buffer.from(await response.arrayBuffer());
}

/** By now, Fastify has serialized what is data. */
function toKept(reply: FastifyReplyLike, payload: unknown, maxBytes: number): KeptResponse | PassedResponse {
  const isText = typeof payload === "string";
  if (payload !== undefined && payload !== null && !isText && !(payload instanceof Uint8Array)) {
    return { passed: "streamed" };
  }
  const body = new Uint8Array(isText ? Buffer.from(payload) : (payload ?? []));
  if (body.length > maxBytes) return { passed: "too large" };
  return { status: reply.statusCode, headers: headerLines(reply.getHeaders()), body };
}
